# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Reading of key bytes in pieces, with the watchdog fed in between."""

from ndks_protocol.exported import export_mask_key
from ndks_protocol.kdf import Mac, wipe, xor_keystream

from .board import Board
from .membership import Membership

try:
    from .board import KeyGenerator
except ImportError:  # on the board, where annotations are not evaluated
    pass

_KEY_SIZE = 32  # of AES-256


class PaperBits:
    """The paper bits of key `index`, as bytes."""

    def __init__(self, board: Board, generator: "KeyGenerator", index: int):
        self._board = board
        self._keystream = generator.key(index)
        self.index = index

    def read(self, offset: int, size: int) -> bytearray:
        """Return `size` bytes from byte `offset` on."""
        data = bytearray(size)
        self.read_into(memoryview(data), offset)
        return data

    def read_into(self, view: memoryview, offset: int) -> None:
        """Fill `view` with the bytes from byte `offset` on."""
        keystream = self._keystream
        piece = min(keystream.piece, self._board.block)
        for start in range(0, len(view), piece):
            self._board.feed_watchdog()
            keystream.read_into(view[start : start + piece], 8 * (offset + start))


class KeyReader:
    """Reader of exported keys. It caches the latest key, because its set-up takes time."""

    def __init__(self, board: Board, member: Membership, mac: Mac):
        self._board = board
        self._member = member
        self._mac = mac  # of the network's secret
        self._paper: "PaperBits | None" = None
        self._mask_key = bytearray(_KEY_SIZE)  # of the latest key, in place of the one before

    def wipe(self) -> None:
        """Overwrite the mask key."""
        wipe(self._mask_key)

    def read_into(self, view: memoryview, index: int, offset: int) -> None:
        """Fill `view` with key `index` from byte `offset` on."""
        if self._paper is None or self._paper.index != index:
            paper = PaperBits(self._board, self._member.generator, index)
            # Change both or neither: after an exception the next request must not mix two keys.
            self._mask_key[:] = export_mask_key(self._board, self._mac, index)
            self._paper = paper
        self._paper.read_into(view, offset)
        if self._member.masked:
            xor_keystream(self._board, self._mask_key, offset, view)
