# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The socket of an agent, for its user's programs: JSON, one object per line, and a thread for each connection."""

import contextlib
import fcntl
import json
import os
import select
import socket
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

from ... import strict_json
from ...exceptions import FileError, NdksError, UnitBusy, UsageError
from .inputs import Asked, Inputs, Left

_LONGEST = 1 << 20  # bytes of a request
_CLIENTS = 16
_SLICE = 0.5  # seconds between two checks of whether a waiting program is still there


class Programs:
    """Takes connections in threads, and passes their requests to the loop of the agent."""

    def __init__(self, listener: socket.socket, inputs: Inputs) -> None:
        self._listener = listener
        self._inputs = inputs
        self._room = threading.BoundedSemaphore(_CLIENTS)

    def start(self) -> None:
        threading.Thread(target=self._accept, name="programs", daemon=True).start()

    def _accept(self) -> None:
        while self._listener.fileno() >= 0:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # it was closed, or this process has too many files open
                time.sleep(_SLICE)
            else:
                self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        if self._room.acquire(blocking=False):
            threading.Thread(target=self._serve, args=(connection,), name="program", daemon=True).start()
            return
        with connection, contextlib.suppress(OSError):
            connection.sendall(_encoded(UnitBusy("too many programs use this agent", "end some of them")))

    def _serve(self, connection: socket.socket) -> None:
        program = object()
        try:
            with connection, connection.makefile("rb") as lines, contextlib.suppress(OSError):
                while (line := lines.readline(_LONGEST)).endswith(b"\n"):
                    connection.sendall(_encoded(self._ask(program, line, connection)))
                if len(line) == _LONGEST:
                    connection.sendall(_encoded(UsageError("the request is too long", "send a message in parts")))
        finally:
            self._inputs.ask(Left(program))
            self._room.release()

    def _ask(self, program: object, line: bytes, connection: socket.socket) -> dict[str, Any] | Exception:
        """Return the answer to a request. ConnectionError: the program has left before there was one."""
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
        while not is_answered.wait(_SLICE):
            if _has_left(connection):
                raise ConnectionResetError
        return answers[0]


def _has_left(connection: socket.socket) -> bool:
    """Return whether the program has closed its end, even after requests that have not been read yet."""
    poll = select.poll()
    poll.register(connection, 0)  # a hang-up is reported in any case
    return bool(poll.poll(0))


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
            try:
                yield listener
            finally:
                with contextlib.suppress(OSError):  # of other systems than Linux
                    listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts: to close it would not
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
