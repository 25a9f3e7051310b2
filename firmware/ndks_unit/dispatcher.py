# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Request loop: read frames from the line, call the handler of each request, send one answer."""

import gc

from ndks_protocol import errors, fields, framing, wire
from ndks_protocol.framing import HEADER_SIZE, Frame
from ndks_protocol.session import SYNC_SIZE, TAG_SIZE, SecureChannel

from . import access, device, exported_keys, on_demand
from .board import TICKS_PERIOD, Board
from .messages import opening, sealing
from .network import attached
from .state import State

try:
    from typing import Callable
except ImportError:  # not on the board, where annotations are not evaluated
    pass

# A handler takes the state and the fields of the request, and returns the fields of the answer.
HANDLERS: "dict[int, Callable[..., tuple[object, ...]]]" = {
    wire.HELLO: device.hello,
    wire.STATUS: device.status,
    wire.CLOSE: device.close,
    wire.OPEN_SESSION: access.open_session,
    wire.PROVE: access.prove,
    wire.UNLOCK: access.unlock,
    wire.NEXT_INDEX: exported_keys.next_index,
    wire.KEY_CHUNK: exported_keys.key_chunk,
    wire.ACKNOWLEDGE: exported_keys.acknowledge,
    wire.SEAL_BEGIN: sealing.seal_begin,
    wire.SEAL_CHUNK: sealing.seal_chunk,
    wire.SEAL_KEYS: sealing.seal_keys,
    wire.OPEN_BEGIN: opening.open_begin,
    wire.OPEN_CHUNK: opening.open_chunk,
    wire.OPEN_KEYS: opening.open_keys,
    wire.MESSAGE_STREAM: opening.message_stream,
    wire.MESSAGE_CHECK: opening.message_check,
    wire.ACCEPT: opening.accept,
}
# Rare commands: the module in on_demand/ that has the handler.
ON_DEMAND = {
    wire.PROVISION: "provision",
    wire.PROVISION_SEALED: "provision",
    wire.ENROL: "provision",
    wire.JOINING_KEY: "joining_key",
    wire.ZEROIZE: "zeroize",
    wire.BIND: "bind",
    wire.TRUST: "trust",
}

_PAUSE_MS = 30  # time without input after which the unit is idle


class Dispatcher:
    """The state of a unit and its end of the serial line."""

    def __init__(self, board: Board):
        self._board = board
        self._decoder = framing.Decoder()
        self._encoder = framing.Encoder()
        # Room for the payload of an answer, and inside it for the body of a secured answer.
        self._payload = self._encoder.view[HEADER_SIZE : HEADER_SIZE + framing.MAX_PAYLOAD]
        self._body = self._payload[SYNC_SIZE:-TAG_SIZE]
        self._accepts_long_frames = True  # as a new decoder does
        self._connected = False
        self._line_is_clean = True
        self._busy_at = self._checked_at = 0
        self._is_idle = True
        self.state = State(board)
        self._limit_frames()

    def poll(self) -> None:
        """Run one turn of the main loop: answer all received requests."""
        self._check_hardware()
        connected = self._board.connected
        if self._connected and not connected:
            self._decoder.reset()  # do not join the first frame of a new host to a partial frame of the old one
            self.state.end_session()
            self.state.session.ephemeral.prepare()
            self._limit_frames()
        self._connected = connected
        size = self._board.receive()
        if size:
            while size:  # a long frame arrives in many pieces; skip the rest of the turn for each
                self._take(self._board.received, size)
                if self._board.ticks_ms() != self._checked_at:
                    self._check_hardware()
                size = self._board.receive() if self._board.connected else 0
            self._is_idle = False
            self._busy_at = self._board.ticks_ms()
        elif not self._is_idle and (self._board.ticks_ms() - self._busy_at) % TICKS_PERIOD > _PAUSE_MS:
            self._is_idle = True
            self._board.tidy()
        elif self._is_idle:
            self.state.session.ephemeral.advance()

    def _check_hardware(self) -> None:
        """Feed the watchdog and look at the case switch; while a long frame arrives, once a millisecond."""
        self._checked_at = self._board.ticks_ms()
        self._board.feed_watchdog()
        self.state.erase_if_opened()

    def _limit_frames(self) -> None:
        """Accept long frames only inside a session."""
        long = self.state.session.channel is not None
        if long != self._accepts_long_frames:
            self._accepts_long_frames = long
            self._decoder.limit(framing.MAX_PAYLOAD if long else framing.MAX_PAYLOAD_BEFORE_SESSION)

    def _take(self, data: "bytes | bytearray", size: int) -> None:
        position = 0
        while position < size:
            position = self._decoder.take(data, position, size)
            event = self._decoder.event
            if isinstance(event, framing.FrameError):
                self.state.dropped_frames = (self.state.dropped_frames + 1) & 0xFFFFFFFF
            elif event:
                self._board.led(True)
                self._send(self._answer(event))
                if self.state.session.ends_with_answer:
                    self.state.end_session()
                self._limit_frames()
                self._board.led(False)

    def _send(self, answer: "bytes | memoryview") -> None:
        # After an incomplete answer, send a delimiter first: the host must not join the two answers.
        self._line_is_clean = (self._line_is_clean or self._board.write(b"\0")) and self._board.write(answer)

    def _answer(self, frame: Frame) -> "bytes | memoryview":
        """Return the answer to a request. Any exception becomes an error code."""
        if frame.kind == wire.HELLO:
            self.state.end_session()
        channel = self.state.session.channel
        try:
            if channel:
                kind, size = self._secured(channel, frame)
            else:
                kind, size = self._result(frame.kind, frame.payload, self._payload)
        except Exception:  # the session itself has failed: out of memory
            kind, size = self._end_session()
        if self.state.erase_if_opened():
            kind, size = framing.ERROR, _write_code(self._payload, errors.TAMPERED)
        return self._encoder.finish(kind, frame.request_id, size)

    def _secured(self, channel: SecureChannel, frame: Frame) -> tuple[int, int]:
        """Write the payload of the answer to a secured request, and return its kind and size."""
        payload = channel.open(frame.kind, frame.request_id, frame.payload)  # pyright: ignore[reportArgumentType] (a view)
        if payload is None:
            return self._end_session()
        kind, size = self._result(frame.kind, payload, self._body)
        if channel is self.state.session.channel:
            return kind, channel.seal(kind, frame.request_id, self._payload, size)
        # The request has ended the session: answer in the clear.
        self._payload[:size] = self._body[:size]
        return kind, size

    def _end_session(self) -> tuple[int, int]:
        self.state.end_session()
        gc.collect()
        return framing.ERROR, _write_code(self._payload, errors.SESSION_ENDED)

    def _result(self, code: int, payload: "bytes | memoryview", view: memoryview) -> tuple[int, int]:
        """Write the payload of the answer, and return its kind and size."""
        try:
            return code | framing.ANSWER, self._dispatch(code, payload, view)
        except errors.UnitError as error:
            return framing.ERROR, _write_code(view, error.code)
        except Exception:
            # Send no text: it could leak a secret.
            gc.collect()
            return framing.ERROR, _write_code(view, errors.INTERNAL)

    def _dispatch(self, code: int, payload: "bytes | memoryview", view: memoryview) -> int:
        if wire.TICK <= code <= wire.ROLE:
            self._check_needs(wire.MEMBER)
            return attached(self.state).serve(code, payload, view)
        if code not in wire.COMMANDS:
            raise errors.UnitError(errors.UNKNOWN_COMMAND)
        needs, request, answer = wire.COMMANDS[code]
        self._check_needs(needs)
        try:
            values = fields.unpack(request, payload)
        except ValueError:
            raise errors.UnitError(errors.BAD_REQUEST) from None
        if code in HANDLERS:
            return fields.pack_into(view, answer, HANDLERS[code](self.state, *values))
        module = ON_DEMAND[code]
        self._board.tidy()
        try:
            return fields.pack_into(view, answer, on_demand.get(module).HANDLERS[code](self.state, *values))
        finally:
            self._board.tidy()

    def _check_needs(self, needs: int) -> None:
        state = self.state
        if needs == wire.NOTHING:
            return
        if state.is_foreign:
            raise errors.UnitError(errors.STATE_FORMAT)
        if needs & wire.IS_BLANK and state.binding:
            raise errors.UnitError(errors.PROVISIONED)
        if not state.binding and state.is_tampered:
            raise errors.UnitError(errors.TAMPERED)
        if state.unfinished:
            raise errors.UnitError(errors.STORAGE)
        if needs & wire.IS_PROVISIONED and not state.binding:
            raise errors.UnitError(errors.BLANK)
        if (needs & wire.PROVED and not state.session.channel) or (needs & wire.SESSION and not state.opened):
            raise errors.UnitError(errors.LOCKED)


def _write_code(view: memoryview, code: int) -> int:
    view[0] = code >> 8
    view[1] = code & 0xFF
    return 2
