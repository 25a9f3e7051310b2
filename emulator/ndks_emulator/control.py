# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A Unix socket for control of a running unit by other processes. Not available on every platform.

Each line is a command, and each command gets one line as its answer: `ok` for `power cut 3`, `ok PORT` for `power on`,
`error WHY` for a command that fails.
"""

import contextlib
import errno
import json
import os
import socket
import socketserver
import stat
import threading
from pathlib import Path
from typing import Self, cast

from .powered import NotNow, Powered

_MAX_LINE = 4096  # maximum size of a line in bytes
_POLL_SECONDS = 0.05  # maximum delay of `close`


class ControlInUse(Exception):
    """Another process listens on this path."""


class ControlSocket:
    """A socket at `path`, accessible to this user only, until `close`. ControlInUse, OSError."""

    def __init__(self, path: Path, unit: Powered) -> None:
        self._path = path
        _remove_stale(path)
        mask = os.umask(0o177)
        try:
            self._server = _Server(str(path), _Conversation)
        finally:
            os.umask(mask)
        self._server.unit = unit
        self._inode = path.stat().st_ino
        loop = threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True)
        loop.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            if self._path.stat().st_ino == self._inode:  # do not remove another process's socket
                self._path.unlink()
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64  # clients do not wait for a place in the queue: the kernel would refuse them
    unit: Powered


class _Conversation(socketserver.StreamRequestHandler):
    """The connection of one client."""

    def handle(self) -> None:
        unit = cast(_Server, self.server).unit
        with contextlib.suppress(OSError):  # the client has disconnected before the answer
            while line := self.rfile.readline(_MAX_LINE + 1):
                if len(line) > _MAX_LINE:
                    self.wfile.write(b"error the line is too long\n")
                    return
                self.wfile.write(answer(unit, line.decode(errors="replace").strip()).encode() + b"\n")


def answer(unit: Powered, line: str) -> str:
    """Execute a command line, and return the answer."""
    try:
        return _do(unit, line.split())
    except NotNow as error:
        return f"error {error}"


def _do(unit: Powered, words: list[str]) -> str:
    if words[:2] == ["power", "cut"] and len(words) == 3:
        unit.power_cut(_steps(words[2]))
        return "ok"
    command = " ".join(words)
    if command in unit.actions:
        port = unit.actions[command]()
        return "ok" if port is None else f"ok {port}"
    if command == "status":
        return json.dumps(unit.status())
    commands = {
        **unit.COMMANDS,
        "status": f"return a JSON object: {', '.join(unit.status())}",
        "help": "return this list as JSON",
    }
    if command == "help":
        return json.dumps(commands)
    raise NotNow(f"there is no command {command[:40]!r}; there are {', '.join(commands)}")


def _steps(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise NotNow(f"{text[:20]!r} is not a number of steps")
    return int(text)


def _remove_stale(path: Path) -> None:
    """Remove the socket of a killed process. FileExistsError: the file is not a socket."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(errno.EEXIST, "the path exists and is not a socket", str(path))
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass  # the process is alive but busy
    raise ControlInUse(f"another process listens at {path}")
