# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A host's conversation with a unit, without I/O and without a clock (PROTOCOL.md sections 5 and 6).

Strategy: `send` returns the bytes of a request. `receive` takes the bytes that arrive, however they are cut, and
returns events. The caller gives the time; `deadline` says when to call `expire`. Any pump will do: `Link` blocks,
another may use asyncio or a thread of its own. A conversation has one owner and takes no locks.

Each request ends once: in an Answer or in a Failure with a typed error, unless the caller forgets it. All else that
arrives is Dropped; `receive` never raises. Memory is bounded by one frame and the requests in flight.

A session has no gaps. A frame that is not the next one ends it, as a deadline that passes does; all requests in flight
then fail. The conversation opens no session: the caller does, and gives the keys to `secure`.
"""

from dataclasses import dataclass, field

from ndks_protocol import errors, framing
from ndks_protocol.commands import HELLO, Command
from ndks_protocol.session import OVERHEAD, SYNC_SIZE, SecureChannel

from ..exceptions import NdksError, NoUnit, ProtocolError, UnitTimeout, device_error

START = b"\0"  # is sent before the first request: it ends what the unit's decoder may have begun
_ERROR_SIZE = 2  # bytes of an error code
_AT_ONCE = float("-inf")


@dataclass(frozen=True, slots=True)
class Answer:
    """A request was answered; `payload` is as the command's answer is packed, and may hold a key."""

    request_id: int
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """A request will not be answered: DeviceError, ProtocolError, UnitTimeout, NoUnit."""

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
    deadline: float
    error: NdksError | None = None  # why it failed, until an event has said so


class Conversation:
    """Requests in flight, their answers and the session. `timeout` is the longest wait for one answer, in seconds."""

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
        """The time after which `expire` has something to tell; None while no request is in flight."""
        return min((request.deadline for request in self._requests.values()), default=None)

    def send(self, command: Command, payload: bytes, now: float) -> tuple[int, bytes]:
        """Return the id of a new request and the bytes to send; its answer is due `timeout` seconds from `now`."""
        if command is HELLO:
            self.end_session()
        request_id, self._next_id = self._next_id, (self._next_id + 1) & 0xFFFFFFFF
        if self._channel:
            payload = _sealed(self._channel, command.code, request_id, payload)
        self._requests[request_id] = _Request(command, now + self._timeout)
        return request_id, framing.encode(command.code, request_id, payload)

    def resume(self, now: float) -> None:
        """Count the time for all answers from `now`: the caller has not read for a while."""
        for request in self._requests.values():
            if not request.error:
                request.deadline = now + self._timeout

    def forget(self, request_id: int) -> None:
        """Tell no event of a request any more."""
        self._requests.pop(request_id, None)

    def receive(self, data: bytes) -> list[Event]:
        """Take bytes that have arrived and return what they say, in order."""
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
            self.end_session()  # the unit may have lost it: the next command opens another
        return self._failures()

    def secure(self, channel: SecureChannel) -> None:
        """Secure every frame from now on, until HELLO or `end_session`. No request may be in flight."""
        self._channel = channel

    def end_session(self, number: int = errors.SESSION_ENDED) -> None:
        """Forget the session's keys; requests in flight fail with this error code. The unit is not told."""
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
        error = device_error(int.from_bytes(body, "big")) if is_code else malformed(request.command)
        return Failure(frame.request_id, error)

    def _opened(self, frame: framing.Frame) -> bytes | None:
        """Return a frame's body, None when it is not the next of the session, which is over then."""
        payload = memoryview(frame.payload)
        if not self._channel:
            return bytes(payload)
        body = self._channel.open(frame.kind, frame.request_id, payload)  # in place: in the decoder's buffer
        if body is not None:
            return bytes(body)
        # In the clear, a unit only says why it has no session any more; anybody on the line could say so as well.
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
            return NoUnit("what answers at this port is no NDKS unit", "choose another port: ndks list")
        return UnitTimeout(
            f"no answer within {seconds}: this is no unit, or it does not run",
            "check the port with ndks list; unplug the unit and plug it in again",
        )


def malformed(command: Command) -> ProtocolError:
    """Return the error of an answer that the protocol does not allow."""
    return ProtocolError(f"the answer to {command.name} is malformed")


def _sealed(channel: SecureChannel, kind: int, request_id: int, body: bytes) -> bytes:
    view = memoryview(bytearray(len(body) + OVERHEAD))
    view[SYNC_SIZE : SYNC_SIZE + len(body)] = body
    return bytes(view[: channel.seal(kind, request_id, view, len(body))])
