# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Random values that never repeat in the life of a unit (PROTOCOL.md section 6)."""

import struct

from .board import Board
from .flash.record_log import RecordLog
from .flash.records import BOOTS


class Randomness:
    """The unit's source of random values."""

    def __init__(self, board: Board, log: RecordLog):
        self._board = board
        self._log = log
        self._draws = 0

    def draw(self) -> bytes:
        """Return 32 random bytes that are unique even if the entropy source fails."""
        self._draws += 1
        digest = self._board.sha256()
        digest.update(self._board.entropy(32))
        digest.update(self._board.uid)
        digest.update((self._log.body(BOOTS) or b"") + struct.pack(">I", self._draws))
        return digest.digest()
