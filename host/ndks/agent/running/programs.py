# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The socket of an agent, for the programs of its user: JSON, one object a line. A thread for each connection."""

import contextlib
import fcntl
import json
import os
import socket
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

from ... import strict_json
from ...exceptions import FileError, NdksError, UnitBusy
from .inputs import Asked, Inputs, Left

_LONGEST = 1 << 20  # bytes of a request
_CLIENTS = 16


class Programs:
    """Takes connections in threads, and passes their requests to the loop of the agent."""

    def __init__(self, listener: socket.socket, inputs: Inputs) -> None:
        self._listener = listener
        self._inputs = inputs
        self._room = threading.BoundedSemaphore(_CLIENTS)

    def start(self) -> None:
        threading.Thread(target=self._accept, name="programs", daemon=True).start()

    def _accept(self) -> None:
        while True:
            self._room.acquire()
            try:
                connection, _ = self._listener.accept()
            except OSError:  # it was closed
                return
            threading.Thread(target=self._serve, args=(connection,), name="program", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        program = object()
        try:
            with connection, connection.makefile("rb") as lines, contextlib.suppress(OSError):
                while line := lines.readline(_LONGEST):
                    connection.sendall(_encoded(self._ask(program, line)))
        finally:
            self._inputs.ask(Left(program))
            self._room.release()

    def _ask(self, program: object, line: bytes) -> dict[str, Any] | Exception:
        try:
            values: Any = strict_json.loads(line)
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            return NdksError("the request is no JSON object", "use the ndks of the same version")
        answers: list[dict[str, Any] | Exception] = []
        is_answered = threading.Event()

        def answered(values: dict[str, Any] | Exception) -> None:
            answers.append(values)
            is_answered.set()

        self._inputs.ask(Asked(program, cast(dict[str, Any], values), answered))
        is_answered.wait()
        return answers[0]


@contextlib.contextmanager
def listening(path: Path) -> Generator[socket.socket]:
    """Make the socket, for this user alone, and remove it at the end. UnitBusy: another agent has it; FileError."""
    lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise UnitBusy("another ndks agent runs for this unit", "use that one: ndks network status") from None
    try:
        path.unlink(missing_ok=True)  # of an agent that was killed: the lock is ours
        with socket.socket(socket.AF_UNIX) as listener:
            try:
                os.fchmod(listener.fileno(), 0o600)  # Linux gives the file this mode
                listener.bind(str(path))
            except OSError as error:
                raise FileError(f"{path} cannot be a socket: {error}", "name a shorter directory") from None
            listener.listen(_CLIENTS)
            yield listener
        path.unlink(missing_ok=True)
    finally:
        os.close(lock)


def _encoded(answer: dict[str, Any] | Exception) -> bytes:
    if isinstance(answer, NdksError):
        error = {
            "code": answer.code,
            "message": str(answer),
            "advice": answer.advice,
            "exit_status": answer.exit_status,
        }
        return json.dumps({"error": error}).encode() + b"\n"
    if isinstance(answer, Exception):
        return json.dumps({"error": {"code": "ERROR", "message": type(answer).__name__}}).encode() + b"\n"
    return json.dumps(answer).encode() + b"\n"
