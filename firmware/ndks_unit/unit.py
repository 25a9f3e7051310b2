# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit: takes requests off the line, hands each to its handler, answers once."""

import gc

from ndks_protocol import commands, errors, framing

from . import device, exported_keys, opening, sealing
from .exported_keys import ExportCounter, KeyReader
from .membership import Membership
from .messages import Messages
from .record_log import RecordLog
from .records import CURRENT_FORMAT, MEMBERSHIP

_HANDLERS = {
    commands.HELLO.code: device.hello,
    commands.STATUS.code: device.status,
    commands.PROVISION.code: device.provision,
    commands.CLOSE.code: device.close,
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


class Unit:
    """State and behaviour of one unit on its `Board`."""

    def __init__(self, board):
        self.board = board
        self.log = RecordLog(board)
        self.dropped_frames = 0
        self._decoder = framing.Decoder()
        self._connected = False
        self._line_is_clean = True
        self.load_membership()

    @property
    def state(self) -> int:
        return commands.STATE_PROVISIONED if self.member else commands.STATE_BLANK

    @property
    def flags(self) -> int:
        flags = commands.NOT_SEALED
        if not self.board.snapshots_writable:
            flags |= commands.READ_ONLY
        if self.state_is_newer:
            flags |= commands.NEWER_STATE
        return flags

    @property
    def state_is_newer(self) -> bool:
        return self.log.format > CURRENT_FORMAT

    def load_membership(self) -> None:
        """Become what the log says; a state of a newer format is left alone."""
        self.member = self.counter = self.keys = self.messages = None
        record = self.log.body(MEMBERSHIP)
        if record is None or self.state_is_newer:
            return
        self.member = Membership(self.board, record)
        self.member.speed_up(self.board)
        self.counter = ExportCounter(self.log, self.member.epoch)
        self.keys = KeyReader(self.board, self.member)
        self.messages = Messages(self.board, self.log, self.member)

    def end_session(self) -> None:
        """Forget what concerned one host."""
        if self.messages:
            self.messages.end_session()

    def poll(self) -> None:
        """One turn of the main loop: answer what has arrived."""
        self.board.feed_watchdog()
        connected = self.board.connected
        if self._connected and not connected:
            self._decoder.reset()  # a new host's first frame does not continue the old host's last
            self.end_session()
        self._connected = connected
        data = self.board.read()
        if data:
            self._receive(data)

    def _receive(self, data: bytes) -> None:
        for event in self._decoder.feed(data):
            if isinstance(event, framing.FrameError):
                self.dropped_frames = (self.dropped_frames + 1) & 0xFFFFFFFF
                continue
            self.board.led(True)
            self._send(self._answer(event))
            self.board.led(False)

    def _send(self, answer: bytes) -> None:
        # What was sent of an answer given up on must not be taken for the beginning of the next.
        self._line_is_clean = self.board.write(answer if self._line_is_clean else b"\0" + answer)

    def _answer(self, frame) -> bytes:
        """Return the one answer to a request; whatever goes wrong becomes one code."""
        try:
            kind, payload = frame.kind | framing.ANSWER, self._dispatch(frame)
        except errors.UnitError as error:
            kind, payload = framing.ERROR, _code(error.code)
        except Exception:
            # No text leaves the unit: it could carry a secret.
            gc.collect()
            kind, payload = framing.ERROR, _code(errors.INTERNAL)
        return framing.encode(kind, frame.request_id, payload)

    def _dispatch(self, frame) -> bytes:
        command = commands.TABLE.get(frame.kind)
        if command is None:
            raise errors.UnitError(errors.UNKNOWN_COMMAND)
        try:
            values = command.request.unpack(frame.payload)
        except ValueError:
            raise errors.UnitError(errors.BAD_REQUEST) from None
        self._check_needs(command.needs)
        return command.answer.pack(*_HANDLERS[command.code](self, *values))

    def _check_needs(self, needs: int) -> None:
        if needs != commands.NOTHING and self.state_is_newer:
            raise errors.UnitError(errors.STATE_FORMAT)
        if needs & commands.IS_BLANK and self.member:
            raise errors.UnitError(errors.PROVISIONED)
        if needs & commands.IS_PROVISIONED and not self.member:
            raise errors.UnitError(errors.BLANK)


def _code(code: int) -> bytes:
    return bytes((code >> 8, code & 0xFF))
