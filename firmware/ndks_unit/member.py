# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An unlocked member of a network, with the generator and the keys for exported keys and capsules."""

from ndks_protocol.capsule import Header, HeaderKeys, MessageKeys, header_keys
from ndks_protocol.kdf import Mac

from .board import Board
from .flash.counters import ExportCounter
from .flash.record_log import RecordLog
from .membership import Membership
from .paper_bits import KeyReader, PaperBits


class OpenMember(Membership):
    """The decrypted secrets of one epoch, which is at `position`: g << 16 | number. `epoch` is its name on the line.

    They differ only before the first move of a network whose `PROVISION` gave another name. `keys` are the header keys
    of the generation, which a network without generations derives from its only secret.
    """

    def __init__(
        self,
        board: Board,
        log: RecordLog,
        record: "bytes | bytearray",
        position: int = 0,
        keys: "bytes | bytearray | memoryview" = b"",
    ):
        super().__init__(board, record)
        self._board = board
        self.position = position
        self.mac = Mac(board, self.secret)  # all keys are derived with it
        try:
            self.generator = self.make_generator(board)
            self.exports = ExportCounter(log, self.epoch)
            self.keys = KeyReader(board, self, self.mac)
            self.header_keys = HeaderKeys(board, keys or header_keys(board, self.mac))
        except BaseException:
            super().wipe()
            self.mac.wipe()
            raise

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
