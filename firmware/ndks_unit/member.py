# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An unlocked member of a network, with the generator and the keys for exported keys and capsules."""

from ndks_protocol.capsule import Header, HeaderKeys, MessageKeys, header_keys
from ndks_protocol.kdf import Mac

from .board import Board
from .flash.counters import ExportCounter
from .flash.record_log import RecordLog
from .membership import Membership
from .messages.in_progress import Incoming
from .paper_bits import KeyReader, PaperBits


class OpenMember(Membership):
    """The decrypted secrets of a unit, for one session. `incoming` is the message being opened, or None."""

    def __init__(self, board: Board, log: RecordLog, record: "bytes | bytearray"):
        super().__init__(board, record)
        self._board = board
        self.incoming: "Incoming | None" = None
        self.mac = Mac(board, self.secret)  # all keys are derived with it
        try:
            self.generator = self.make_generator(board)
            self.exports = ExportCounter(log, self.epoch)
            self.keys = KeyReader(board, self, self.mac)
            self.header_keys = HeaderKeys(board, header_keys(board, self.mac))
        except BaseException:
            super().wipe()
            self.mac.wipe()
            raise

    def begin_opening(self, incoming: Incoming) -> None:
        """Make this the message being opened, and discard the previous one."""
        if self.incoming:
            self.incoming.wipe()
        self.incoming = incoming

    def message_keys(self, header: Header, binding_id: bytes) -> MessageKeys:
        """Return the keys of a message; `binding_id` is the sender's."""
        paper = PaperBits(self._board, self.generator, header.index)
        return MessageKeys(self._board, self.mac, header, binding_id, paper.read, self._board.block)

    def wipe(self) -> None:
        """Overwrite the secret and all keys derived from it."""
        super().wipe()
        self.mac.wipe()
        self.keys.wipe()
        self.header_keys.wipe()
        if self.incoming:
            self.incoming.wipe()
