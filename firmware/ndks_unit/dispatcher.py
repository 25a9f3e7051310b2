# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Request loop: read frames from the line, call the handler of each request, send one answer."""

import gc

from ndks_protocol import commands, errors, framing
from ndks_protocol.framing import HEADER_SIZE, Frame
from ndks_protocol.session import SYNC_SIZE, TAG_SIZE, SecureChannel

from . import access, device, exported_keys, on_demand
from .board import TICKS_PERIOD, Board
from .messages import opening, sealing
from .state import State

try:
    from typing import Callable
except ImportError:  # not on the board, where annotations are not evaluated
    pass

# A handler takes the state and the fields of the request, and returns the fields of the answer.
HANDLERS: "dict[int, Callable[..., tuple[object, ...]]]" = {
    commands.HELLO.code: device.hello,
    commands.STATUS.code: device.status,
    commands.CLOSE.code: device.close,
    commands.OPEN_SESSION.code: access.open_session,
    commands.PROVE.code: access.prove,
    commands.UNLOCK.code: access.unlock,
    commands.NEXT_INDEX.code: exported_keys.next_index,
    commands.KEY_CHUNK.code: exported_keys.key_chunk,
    commands.ACKNOWLEDGE.code: exported_keys.acknowledge,
    commands.SEAL_BEGIN.code: sealing.seal_begin,
    commands.SEAL_CHUNK.code: sealing.seal_chunk,
    commands.SEAL_KEYS.code: sealing.seal_keys,
    commands.OPEN_BEGIN.code: opening.open_begin,
    commands.OPEN_CHUNK.code: opening.open_chunk,
    commands.OPEN_KEYS.code: opening.open_keys,
    commands.MESSAGE_STREAM.code: opening.message_stream,
    commands.MESSAGE_CHECK.code: opening.message_check,
    commands.ACCEPT.code: opening.accept,
}
# Rare commands: the module in on_demand/ that has the handler.
ON_DEMAND = {
    commands.PROVISION.code: "provision",
    commands.ZEROIZE.code: "zeroize",
    commands.BIND.code: "bind",
    commands.TRUST.code: "trust",
}

_PAUSE_MS = 30  # time without input after which the unit is idle


class Dispatcher:
    """The state of a unit and its end of the serial line."""

    def __init__(self, board: Board):
        self._board = board
        self._decoder = framing.Decoder()
        self._encoder = framing.Encoder()
        self._accepts_long_frames = True
        self._connected = False
        self._line_is_clean = True
        self._busy_at = 0
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
            self._limit_frames()
        self._connected = connected
        data = self._board.read()
        if data:
            while data:  # a long frame arrives in many pieces; skip the rest of the turn for each
                self._receive(data)
                self._check_hardware()
                data = self._board.read() if self._board.connected else b""
            self._is_idle = False
            self._busy_at = self._board.ticks_ms()
        elif not self._is_idle and (self._board.ticks_ms() - self._busy_at) % TICKS_PERIOD > _PAUSE_MS:
            self._is_idle = True
            self._board.tidy()

    def _check_hardware(self) -> None:
        self._board.feed_watchdog()
        self.state.erase_if_opened()

    def _limit_frames(self) -> None:
        """Accept long frames only inside a session, or on a blank unit, which needs them for PROVISION."""
        long = self.state.session.channel is not None or self.state.binding is None
        if long != self._accepts_long_frames:
            self._accepts_long_frames = long
            self._decoder.limit(framing.MAX_PAYLOAD if long else framing.MAX_PAYLOAD_BEFORE_SESSION)

    def _receive(self, data: bytes) -> None:
        for event in self._decoder.events(data):
            if isinstance(event, framing.FrameError):
                self.state.dropped_frames = (self.state.dropped_frames + 1) & 0xFFFFFFFF
                continue
            self._board.led(True)
            self._send(self._answer(event))
            if self.state.session.ends_with_answer:
                self.state.end_session()
            self._limit_frames()
            self._board.led(False)

    def _send(self, answer: "bytes | memoryview") -> None:
        # After an incomplete answer, send a delimiter first: the host must not join the two answers.
        self._line_is_clean = self._board.write(answer) if self._line_is_clean else self._board.write(b"\0" + answer)

    def _answer(self, frame: Frame) -> "bytes | memoryview":
        """Return the answer to a request. Any exception becomes an error code."""
        view = self._encoder.view[HEADER_SIZE : HEADER_SIZE + framing.MAX_PAYLOAD]
        if frame.kind == commands.HELLO.code:
            self.state.end_session()
        channel = self.state.session.channel
        try:
            kind, size = (
                self._secured(channel, frame, view) if channel else self._result(frame.kind, frame.payload, view)
            )
        except Exception:  # the session itself has failed: out of memory
            kind, size = self._end_session(view)
        if self.state.erase_if_opened():
            kind, size = framing.ERROR, _write_code(view, errors.TAMPERED)
        return self._encoder.finish(kind, frame.request_id, size)

    def _secured(self, channel: SecureChannel, frame: Frame, view: memoryview) -> tuple[int, int]:
        """Write the payload of the answer to a secured request, and return its kind and size."""
        payload = channel.open(frame.kind, frame.request_id, frame.payload)  # pyright: ignore[reportArgumentType] (a view)
        if payload is None:
            return self._end_session(view)
        kind, size = self._result(frame.kind, payload, view[SYNC_SIZE:-TAG_SIZE])
        if channel is self.state.session.channel:
            return kind, channel.seal(kind, frame.request_id, view, size)
        # The request has ended the session: answer in the clear.
        view[:size] = bytes(view[SYNC_SIZE : SYNC_SIZE + size])
        return kind, size

    def _end_session(self, view: memoryview) -> tuple[int, int]:
        self.state.end_session()
        gc.collect()
        return framing.ERROR, _write_code(view, errors.SESSION_ENDED)

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
        command = commands.TABLE.get(code)
        if command is None:
            raise errors.UnitError(errors.UNKNOWN_COMMAND)
        self._check_needs(command.needs)
        try:
            values = command.request.unpack(payload)
        except ValueError:
            raise errors.UnitError(errors.BAD_REQUEST) from None
        handler = HANDLERS.get(code)
        if handler:
            return command.answer.pack_into(view, *handler(self.state, *values))
        module = ON_DEMAND[code]
        self._board.tidy()
        try:
            return command.answer.pack_into(view, *on_demand.load(module)[code](self.state, *values))
        finally:
            on_demand.drop(module)
            self._board.tidy()

    def _check_needs(self, needs: int) -> None:
        state = self.state
        if needs == commands.NOTHING:
            return
        if state.is_foreign:
            raise errors.UnitError(errors.STATE_FORMAT)
        if needs & commands.IS_BLANK and state.binding:
            raise errors.UnitError(errors.PROVISIONED)
        if not state.binding and state.is_tampered:
            raise errors.UnitError(errors.TAMPERED)
        if state.unfinished:
            raise errors.UnitError(errors.STORAGE)
        if needs & commands.IS_PROVISIONED and not state.binding:
            raise errors.UnitError(errors.BLANK)
        if (needs & commands.PROVED and not state.session.channel) or (needs & commands.SESSION and not state.opened):
            raise errors.UnitError(errors.LOCKED)


def _write_code(view: memoryview, code: int) -> int:
    view[0] = code >> 8
    view[1] = code & 0xFF
    return 2
