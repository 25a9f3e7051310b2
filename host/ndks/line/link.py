# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Requests and answers over a transport: request ids, deadlines, several requests in flight."""

import contextlib
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ndks_protocol import errors, framing
from ndks_protocol.commands import HELLO, SESSION, Command
from ndks_protocol.session import OVERHEAD, SYNC_SIZE, Channel

from ..exceptions import NdksError, NoUnit, ProtocolError, UnitTimeout, device_error
from .answer_checks import check_answer
from .transport import Transport

_log = logging.getLogger(__name__)

_Awaited = tuple[int, Channel | None]  # kind of the answer, and the session that it must come in
_ERROR_SIZE = 2  # bytes of an error code
WINDOW = 2  # requests in flight: enough to hide a round trip, and little for the unit to finish after an interruption


class Link:
    """One host's end of the protocol. `timeout` is the longest wait for one answer, in seconds."""

    def __init__(self, transport: Transport, timeout: float) -> None:
        self._transport = transport
        self._timeout = timeout
        self._decoder = framing.Decoder()
        self._next_id = secrets.randbits(31)  # an answer to an earlier program is not taken for one to this
        self._awaited: dict[int, _Awaited] = {}  # by request id
        self._answers: dict[int, framing.Frame] = {}
        self._events: deque[framing.Frame | framing.FrameError] = deque()
        self._heard_bytes = self._heard_answer = False
        self._channel: Channel | None = None
        self.open_session: Callable[[], object] | None = None  # is called before a command that needs a session
        transport.write(b"\0")  # ends whatever the unit's parser has begun

    @property
    def unplugs(self) -> bool:
        """Whether `close` takes the unit's power away."""
        return self._transport.unplugs

    @property
    def is_secured(self) -> bool:
        """Whether a session is open."""
        return self._channel is not None

    def secure(self, channel: Channel) -> None:
        """Secure every frame from now on, until HELLO or `end_session`."""
        self._channel = channel

    def end_session(self) -> None:
        """Forget the keys of the session; the unit is not told."""
        if self._channel:
            self._channel.wipe()
        self._channel = None

    def close(self) -> None:
        self.end_session()
        self._transport.close()

    def call(self, command: Command, *values: Any) -> tuple[Any, ...]:
        """Send one request; return the fields of its answer. DeviceError, UnitTimeout, UnitRemoved, ProtocolError."""
        return unpack_answer(command, self.call_raw(command, *values))

    def call_raw(self, command: Command, *values: Any) -> bytes:
        """Send one request and return the payload of its answer."""
        return self._answer(command, self._send(command, values))

    def call_each(self, command: Command, requests: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """Send requests of one command, up to WINDOW of them ahead, and yield the fields of the answers in order."""
        waiting: deque[int] = deque()
        try:
            for values in requests:
                waiting.append(self._send(command, values))
                if len(waiting) == WINDOW:
                    yield unpack_answer(command, self._answer(command, waiting.popleft()))
            while waiting:
                yield unpack_answer(command, self._answer(command, waiting.popleft()))
        finally:
            for request_id in waiting:  # whoever iterates has lost interest
                self._awaited.pop(request_id, None)
                self._answers.pop(request_id, None)

    def _send(self, command: Command, values: tuple[Any, ...]) -> int:
        if command.needs & SESSION and not self._channel and self.open_session:
            self.open_session()
        if command is HELLO:
            self._settle()
            self.end_session()
        request_id = self._next_id
        self._next_id = (request_id + 1) & 0xFFFFFFFF
        payload = command.request.pack(*values)
        self._awaited[request_id] = (command.code | framing.ANSWER, self._channel)
        _log.debug("> %s id %08x, %d bytes", command.name, request_id, len(payload))
        if self._channel:
            payload = _sealed(self._channel, command.code, request_id, payload)
        self._transport.write(framing.encode(command.code, request_id, payload))
        return request_id

    def _answer(self, command: Command, request_id: int) -> bytes:
        frame = self._await(request_id)
        _log.debug("< %s id %08x, %d bytes", command.name, request_id, len(frame.payload))
        if frame.kind != framing.ERROR:
            return bytes(frame.payload)
        if len(frame.payload) != _ERROR_SIZE:
            raise _malformed(command)
        raise device_error(int.from_bytes(frame.payload, "big"))

    def _settle(self) -> None:
        """Receive what is still to come in a session that is to end: a stream that waits for its turn goes on then."""
        if self._channel:
            with contextlib.suppress(NdksError):
                for request_id in list(self._awaited):
                    self._receive(request_id)

    def _await(self, request_id: int) -> framing.Frame:
        """Return the frame that answers a request."""
        try:
            self._receive(request_id)
            return self._answers.pop(request_id)
        finally:
            del self._awaited[request_id]

    def _receive(self, request_id: int) -> None:
        """Return when the answer to a request has come, and keep those to others that are awaited."""
        deadline = time.monotonic() + self._timeout
        while request_id not in self._answers:
            channel = self._channel
            asked_in = self._awaited[request_id][1]
            if asked_in and asked_in is not channel:  # in the clear, or in another session, nobody can answer it
                raise device_error(errors.SESSION_ENDED)
            frame = self._opened(self._next_frame(deadline))
            expected, asked_in = self._awaited.get(frame.request_id, (None, None))
            if expected is not None and frame.kind in (framing.ERROR, expected) and asked_in is channel:
                self._answers[frame.request_id] = frame
            else:
                _log.debug("< not awaited: kind %02x id %08x", frame.kind, frame.request_id)

    def _opened(self, frame: framing.Frame) -> framing.Frame:
        """Return an answer as it was before it was secured. AuthenticationError, DeviceError."""
        if not self._channel:
            return frame
        body = self._channel.open(frame.kind, frame.request_id, memoryview(bytearray(frame.payload)))
        if body is not None:
            return framing.Frame(frame.kind, frame.request_id, bytes(body))
        self.end_session()
        # In the clear, a unit only says why it has no session any more; anybody on the line could say so as well.
        tampered = frame.kind == framing.ERROR and bytes(frame.payload) == errors.TAMPERED.to_bytes(_ERROR_SIZE, "big")
        raise device_error(errors.TAMPERED if tampered else errors.SESSION_ENDED)

    def _next_frame(self, deadline: float) -> framing.Frame:
        while True:
            while self._events:
                event = self._events.popleft()
                if isinstance(event, framing.Frame):
                    self._heard_answer = self._heard_answer or bool(event.kind & framing.ANSWER)
                    return event
                _log.debug("< dropped: %s", event.reason)
            if time.monotonic() > deadline:
                self.end_session()  # which may be over: the next command opens another
                raise self._silence()
            data = self._transport.read()
            self._heard_bytes = self._heard_bytes or bool(data)
            self._events.extend(self._decoder.feed(data))

    def _silence(self) -> UnitTimeout | NoUnit:
        seconds = f"{self._timeout:g} s"
        if self._heard_answer:
            return UnitTimeout(f"no further answer within {seconds}", "repeat; a busy unit may need a longer --timeout")
        if self._heard_bytes:
            return NoUnit("what answers at this port is no NDKS unit", "choose another port: ndks list")
        return UnitTimeout(
            f"no answer within {seconds}: this is no unit, or it does not run",
            "check the port with ndks list; unplug the unit and plug it in again",
        )


def _sealed(channel: Channel, kind: int, request_id: int, body: bytes) -> bytes:
    view = memoryview(bytearray(len(body) + OVERHEAD))
    view[SYNC_SIZE : SYNC_SIZE + len(body)] = body
    return bytes(view[: channel.seal(kind, request_id, view, len(body))])


def unpack_answer(command: Command, payload: bytes) -> tuple[Any, ...]:
    """Return the fields of an answer, checked; those that a newer minor version has added are passed over."""
    try:
        values = command.answer.unpack(payload, allow_more=True)
    except ValueError:
        raise _malformed(command) from None
    check_answer(command, values)
    return values


def _malformed(command: Command) -> ProtocolError:
    return ProtocolError(f"the answer to {command.name} is malformed")
