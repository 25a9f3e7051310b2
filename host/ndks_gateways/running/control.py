# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The socket through which commands ask a running tunnel: JSON, one object a line, for this user alone."""

import asyncio
import contextlib
import json
import socket
import stat
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

from ndks import strict_json
from ndks.exceptions import FileError, NdksError, PortPermission, UsageError, reason
from ndks.line.services import SOCKETS, is_served

from .places import not_running, socket_of
from .store import TunnelBusy

_LONGEST = 4096  # bytes of a request
_LONGEST_ANSWER = 1 << 20
_PATIENCE = 10.0  # seconds for an answer

Request = Callable[[], dict[str, Any]]


class TunnelError(NdksError):
    """An error that the tunnel has named."""

    def __init__(self, code: str, message: str, advice: str) -> None:
        super().__init__(message, advice)
        self.code = code


@contextlib.asynccontextmanager
async def serving(path: Path, requests: dict[str, Request]) -> AsyncGenerator[None]:
    """Answer {"do": NAME} with what `requests` has under this name, during the block. TunnelBusy, FileError."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError, ValueError):
            while (line := await reader.readline()).endswith(b"\n"):
                writer.write(_answer(line, requests))
                await writer.drain()

    async with listening(path, lambda: asyncio.start_unix_server(answer, path, limit=_LONGEST)):
        yield


@contextlib.asynccontextmanager
async def listening(path: Path, listen: Callable[[], Any], *, for_group: bool = False) -> AsyncGenerator[None]:
    """Have a server at a new socket during the block, and then remove the socket. TunnelBusy, FileError.

    It is for this user alone; with `for_group`, also for the group of its directory, if that group may enter it.
    """
    if is_served(path):
        what = f"the same end of a tunnel of this name, with another NDKS_HOME, has its socket at {path}"
        raise TunnelBusy(what, f"run one only, or give each a directory for sockets: {SOCKETS}=DIRECTORY")
    try:
        path.unlink(missing_ok=True)  # of one that was killed
        server = await listen()
        path.chmod(0o660 if for_group and path.parent.stat().st_mode & stat.S_IXGRP else 0o600)
    except OSError as error:
        raise FileError(f"{path} cannot be a socket: {reason(error)}", "name a shorter directory") from None
    try:
        yield
    finally:
        server.close()
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _answer(line: bytes, requests: dict[str, Request]) -> bytes:
    try:
        asked = _named(line, requests)()
    except NdksError as error:
        asked = {"error": {"code": error.code, "message": str(error), "advice": error.advice}}
    return json.dumps(asked).encode() + b"\n"


def _named(line: bytes, requests: dict[str, Request]) -> Request:
    try:
        return requests[strict_json.loads(line)["do"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError("the tunnel does not know this request", "use ndks of the same version") from None


def ask(name: str, end: str, do: str) -> dict[str, Any]:
    """Ask an end that runs here, and return its answer. NotRunning; NdksError, as the tunnel has named it."""
    path = socket_of(name, end)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PATIENCE)
        try:
            connection.connect(str(path))
            connection.sendall(json.dumps({"do": do}).encode() + b"\n")
            line = connection.makefile("rb").readline(_LONGEST_ANSWER)
        except PermissionError:
            raise PortPermission(f"{path} belongs to another user", "run this as its user") from None
        except OSError:
            line = b""
    if not line.endswith(b"\n"):
        raise not_running(name)
    answer: dict[str, Any] = json.loads(line)
    if error := answer.get("error"):
        raise TunnelError(error["code"], error["message"], error["advice"])
    return answer
