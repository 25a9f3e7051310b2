# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The paper's bits of one key, made without starving the watchdog."""

_PIECE = 64  # bytes that the slow generator makes between two feedings of the watchdog


class PaperBits:
    """Bytes of the paper bits of key `index`."""

    def __init__(self, board, generator, index: int):
        self._board = board
        self._keystream = generator.key(index)
        self._piece = getattr(self._keystream, "piece", _PIECE)
        self.index = index

    def read(self, offset: int, size: int) -> bytearray:
        """Return `size` bytes from byte `offset` on."""
        if size <= self._piece:
            self._board.feed_watchdog()
            return self._keystream.read(8 * offset, 8 * size)
        data = bytearray(size)
        for start in range(0, size, self._piece):
            self._board.feed_watchdog()
            piece = min(self._piece, size - start)
            data[start : start + piece] = self._keystream.read(8 * (offset + start), 8 * piece)
        return data
