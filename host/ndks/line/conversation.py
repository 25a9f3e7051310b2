# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The host's end of the protocol without I/O and without a clock (PROTOCOL.md sections 5 and 6).

Strategy: `send` returns the bytes of a request. `receive` takes received bytes in pieces of any size and returns
events. The caller passes the time; `deadline` tells when to call `expire`. `Link` does the I/O with blocking calls;
another caller may use asyncio or threads. A conversation belongs to one caller and takes no locks.

Each request ends once, in an Answer or in a Failure with a typed error, unless the caller forgets it. Everything else
that arrives is Dropped. `receive` never raises. Memory is bounded by one frame and the requests in flight.

A session has no gaps. A frame out of sequence or a missed deadline ends it, and all requests in flight fail. The caller
opens a session and passes its keys to `secure`.
"""

from dataclasses import dataclass, field

from ndks_protocol import errors, framing
from ndks_protocol.commands import CONTROL, HELLO, HINT, NOTICE, OPEN_BEGIN, OPEN_KEYS, RENEW, TICK, Command
from ndks_protocol.session import OVERHEAD, SYNC_SIZE, SecureChannel

from .. import times
from ..exceptions import NdksError, NoUnit, ProtocolError, UnitTimeout, device_error, refused

START = b"\0"  # sent before the first request: ends a partial frame in the unit's decoder
_ERROR_SIZE = 2  # bytes of an error code
_AT_ONCE = float("-inf")


@dataclass(frozen=True, slots=True)
class Answer:
    """A request was answered; `payload` is the packed answer and may contain a key."""

    request_id: int
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """A request will not be answered: DeviceError, ProtocolError, UnitTimeout, NoUnit, UnitBusy."""

    request_id: int
    error: NdksError


@dataclass(frozen=True, slots=True)
class Dropped:
    """Bytes arrived that answer no request."""

    reason: str


Event = Answer | Failure | Dropped


@dataclass(slots=True)
class _Request:
    command: Command
    timeout: float
    deadline: float
    error: NdksError | None = None  # set when the request has failed, until its event is returned


class Conversation:
    """Requests in flight, their answers and the session; `timeout` is the longest wait for an answer, in seconds."""

    def __init__(self, timeout: float, first_id: int) -> None:
        self._timeout = timeout
        self._next_id = first_id
        self._decoder = framing.Decoder()
        self._requests: dict[int, _Request] = {}  # by request id
        self._channel: SecureChannel | None = None
        self._heard_bytes = self._heard_answer = False

    @property
    def is_secured(self) -> bool:
        """Whether a session is open."""
        return self._channel is not None

    @property
    def deadline(self) -> float | None:
        """The time after which `expire` returns failures; None while no request is in flight."""
        return min((request.deadline for request in self._requests.values()), default=None)

    def send(self, command: Command, payload: bytes, now: float) -> tuple[int, bytes]:
        """Return the id of a new request and the bytes to send; it is due `timeout` seconds from `now`, or later."""
        if command is HELLO:
            self.end_session()
        request_id, self._next_id = self._next_id, (self._next_id + 1) & 0xFFFFFFFF
        if self._channel:
            payload = _sealed(self._channel, command.code, request_id, payload)
        timeout = max(self._timeout, _patience(command))
        self._requests[request_id] = _Request(command, timeout, now + timeout)
        return request_id, framing.encode(command.code, request_id, payload)

    def resume(self, now: float) -> None:
        """Restart the timeouts of all requests at `now`, after the caller has not read for a while."""
        for request in self._requests.values():
            if not request.error:
                request.deadline = now + request.timeout

    def forget(self, request_id: int) -> None:
        """Return no further event for a request."""
        self._requests.pop(request_id, None)

    def receive(self, data: bytes) -> list[Event]:
        """Take received bytes and return their events in order."""
        self._heard_bytes = self._heard_bytes or bool(data)
        told: list[Event] = []
        for event in self._decoder.events(data):
            told.append(self._take(event) if isinstance(event, framing.Frame) else Dropped(event.reason))
            told += self._failures()
        return told

    def expire(self, now: float) -> list[Event]:
        """Return the failures of requests whose deadline is before `now`."""
        late = [request for request in self._requests.values() if now > request.deadline and not request.error]
        for request in late:
            request.error = self._silence()
        if late:
            self.end_session()  # the unit may have lost the session: the next command opens a new one
        return self._failures()

    def secure(self, channel: SecureChannel) -> None:
        """Encrypt and authenticate all frames from now until HELLO or `end_session`; no request may be in flight."""
        self._channel = channel

    def end_session(self, number: int = errors.SESSION_ENDED) -> None:
        """Delete the keys of the session and fail the requests in flight with this error code; send nothing."""
        if not self._channel:
            return
        self._channel.wipe()
        self._channel = None
        for request in self._requests.values():
            request.error = request.error or device_error(number)
            request.deadline = _AT_ONCE

    def _take(self, frame: framing.Frame) -> Event:
        self._heard_answer = self._heard_answer or bool(frame.kind & framing.ANSWER)
        body = self._opened(frame)
        if body is None:
            return Dropped("not the next frame of the session")
        request = self._requests.get(frame.request_id)
        if not request or request.error or frame.kind not in (framing.ERROR, request.command.code | framing.ANSWER):
            return Dropped(f"not awaited: kind {frame.kind:02x} id {frame.request_id:08x}")
        del self._requests[frame.request_id]
        if frame.kind != framing.ERROR:
            return Answer(frame.request_id, body)
        is_code = len(body) == _ERROR_SIZE
        error = refused(int.from_bytes(body, "big")) if is_code else malformed(request.command)
        return Failure(frame.request_id, error)

    def _opened(self, frame: framing.Frame) -> bytes | None:
        """Return the body of a frame; end the session and return None if the frame is out of sequence."""
        payload = memoryview(frame.payload)
        if not self._channel:
            return bytes(payload)
        body = self._channel.open(frame.kind, frame.request_id, payload)  # decrypts in the decoder's buffer
        if body is not None:
            return bytes(body)
        # A frame in the clear can only report why the unit has no session; anybody on the line could forge it.
        tampered = frame.kind == framing.ERROR and payload == errors.TAMPERED.to_bytes(_ERROR_SIZE, "big")
        self.end_session(errors.TAMPERED if tampered else errors.SESSION_ENDED)
        return None

    def _failures(self) -> list[Event]:
        failed = [(request_id, request.error) for request_id, request in self._requests.items() if request.error]
        for request_id, _ in failed:
            del self._requests[request_id]
        return [Failure(request_id, error) for request_id, error in failed]

    def _silence(self) -> UnitTimeout | NoUnit:
        seconds = f"{self._timeout:g} s"
        if self._heard_answer:
            return UnitTimeout(f"no further answer within {seconds}", "repeat; a busy unit may need a longer --timeout")
        if self._heard_bytes:
            return NoUnit("the device at this port is not an NDKS unit", "choose another port: ndks list")
        return UnitTimeout(
            f"no answer within {seconds}: this is not a unit, or it is not running",
            "check the port with ndks list; unplug the unit and plug it in again",
        )


def malformed(command: Command) -> ProtocolError:
    """Return the error for an answer that violates the protocol."""
    return ProtocolError(f"the answer to {command.name} is malformed")


def _sealed(channel: SecureChannel, kind: int, request_id: int, body: bytes) -> bytes:
    view = memoryview(bytearray(len(body) + OVERHEAD))
    view[SYNC_SIZE : SYNC_SIZE + len(body)] = body
    return bytes(view[: channel.seal(kind, request_id, view, len(body))])


def _patience(command: Command) -> float:
    """Return how long a command may take a unit, in seconds, if that is longer than for other commands."""
    if command in (NOTICE, HINT):
        return times.NOTICE_TIMEOUT
    return times.OPENING_TIMEOUT if command in (OPEN_BEGIN, OPEN_KEYS, CONTROL, TICK, RENEW) else 0
