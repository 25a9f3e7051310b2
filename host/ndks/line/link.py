# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Blocking requests over a transport."""

import contextlib
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ndks_protocol.commands import HELLO, SESSION, Command
from ndks_protocol.session import SecureChannel

from ..exceptions import NdksError
from .answer_checks import check_answer
from .conversation import START, Answer, Conversation, Dropped, Event, Failure, malformed
from .earlier import completed
from .transport import Transport

_log = logging.getLogger(__name__)

WINDOW = 2  # requests in flight: enough to hide a round trip, few for the unit to finish after an interruption


class Link:
    """A blocking client of a unit; `timeout` is the longest wait for an answer, in seconds."""

    def __init__(self, transport: Transport, timeout: float) -> None:
        self._transport = transport
        self._conversation = Conversation(timeout, secrets.randbits(31))  # unlike the ids of an earlier program
        self._ended: dict[int, Answer | Failure] = {}  # by request id, until `_answer` takes them
        self.open_session: Callable[[], object] | None = None  # called before a command that needs a session
        transport.write(START)

    @property
    def unplugs(self) -> bool:
        """Whether `close` cuts the power of the unit."""
        return self._transport.unplugs

    @property
    def is_secured(self) -> bool:
        """Whether a session is open."""
        return self._conversation.is_secured

    def secure(self, channel: SecureChannel) -> None:
        """Encrypt and authenticate all frames from now until HELLO or `end_session`."""
        self._conversation.secure(channel)

    def end_session(self) -> None:
        """Delete the keys of the session; send nothing."""
        self._conversation.end_session()

    def close(self) -> None:
        self.end_session()
        self._transport.close()

    def call(self, command: Command, *values: Any) -> Any:
        """Send one request; return the fields of its answer. DeviceError, UnitTimeout, UnitRemoved, ProtocolError."""
        return unpack_answer(command, self.call_raw(command, *values))

    def call_raw(self, command: Command, *values: Any) -> bytes:
        """Send one request and return the payload of its answer."""
        return self._answer(command, self._send(command, values))

    def call_each(self, command: Command, requests: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
        """Send requests of one command, WINDOW of them at a time, and yield the fields of the answers in order."""
        waiting: deque[int] = deque()
        try:
            for values in requests:
                waiting.append(self._send(command, values))
                if len(waiting) == WINDOW:
                    yield unpack_answer(command, self._answer(command, waiting.popleft()))
            while waiting:
                yield unpack_answer(command, self._answer(command, waiting.popleft()))
        finally:
            for request_id in waiting:  # the caller has stopped early
                self._forget(request_id)

    def _send(self, command: Command, values: tuple[Any, ...]) -> int:
        if command.needs & SESSION and not self.is_secured and self.open_session:
            self.open_session()
        if command is HELLO:
            self._settle()
        return self.post(command, command.request.pack(*values))

    def post(self, command: Command, payload: bytes) -> int:
        """Send a request of packed fields and return its id; `ended` or `_answer` takes what becomes of it."""
        request_id, data = self._conversation.send(command, payload, time.monotonic())
        _log.debug("> %s id %08x, %d bytes", command.name, request_id, len(payload))
        try:
            self._transport.write(data)
        except BaseException:
            self._forget(request_id)
            raise
        return request_id

    def ended(self) -> list[Answer | Failure]:
        """Receive once, and return what has become of requests sent by `post`. UnitRemoved."""
        self._pump()
        return self._take_ended()

    def late(self) -> list[Answer | Failure]:
        """Return the failures of requests sent by `post` whose answers are late; receive nothing."""
        self._file(self._conversation.expire(time.monotonic()))
        return self._take_ended()

    def _take_ended(self) -> list[Answer | Failure]:
        ended = list(self._ended.values())
        self._ended.clear()
        return ended

    def _answer(self, command: Command, request_id: int) -> bytes:
        """Wait for the answer to a request and return its payload; keep the answers to other requests."""
        self._conversation.resume(time.monotonic())
        try:
            while request_id not in self._ended:
                self._pump()
            ended = self._ended[request_id]
        finally:
            self._forget(request_id)
        if isinstance(ended, Failure):
            _log.debug("< %s id %08x, %s", command.name, request_id, ended.error.code)
            raise ended.error
        _log.debug("< %s id %08x, %d bytes", command.name, request_id, len(ended.payload))
        return ended.payload

    def _settle(self) -> None:
        """Receive all outstanding answers before the session ends, so that a paused stream can go on."""
        self._conversation.resume(time.monotonic())
        with contextlib.suppress(NdksError):
            while self.is_secured and self._conversation.deadline is not None:
                self._pump()

    def _pump(self) -> None:
        self._file(self._conversation.expire(time.monotonic()) or self._conversation.receive(self._transport.read()))

    def _file(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Dropped):
                _log.debug("< dropped: %s", event.reason)
            else:
                self._ended[event.request_id] = event

    def _forget(self, request_id: int) -> None:
        self._conversation.forget(request_id)
        self._ended.pop(request_id, None)


def unpack_answer(command: Command, payload: bytes) -> Any:
    """Return the checked fields of an answer; ignore fields added by a newer minor version."""
    try:
        values = command.answer.unpack(completed(command, payload), allow_more=True)
    except ValueError:
        raise malformed(command) from None
    return check_answer(command, values)
