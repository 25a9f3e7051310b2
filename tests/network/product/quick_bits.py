# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Paper bits that cost little: the network's rules do not depend on the generator, which has tests of its own."""

from hashlib import shake_128
from typing import NamedTuple

_LARGEST = 1 << 12  # bytes of a key that a simulated message may use


class QuickBits(NamedTuple):
    """The bits of one key."""

    seed: bytes
    index: int
    piece: int = _LARGEST

    def read_into(self, view: "bytearray | memoryview", first: int) -> None:
        """Write bits from `first` on, a multiple of 8."""
        start = first // 8
        view[:] = shake_128(self.seed + self.index.to_bytes(8)).digest(start + len(view))[start:]


class QuickGenerator:
    """Stands for the generator of a board: other bits for other parameters and digits."""

    def __init__(self, p1: str, p2: str, digits: int) -> None:
        self._seed = f"{p1} {p2} {digits} ".encode()

    def key(self, index: int) -> QuickBits:
        return QuickBits(self._seed, index)
