# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Which messages of one sender were accepted: a sliding window over their numbers, after RFC 4303, section 3.4.3.

Late and reordered messages are accepted once each; no clock is asked.
"""

import struct

from ndks_protocol import errors
from ndks_protocol.commands import MAX_JUMP, WINDOW_SIZE

_FORMAT = ">HI"  # the highest number, u48; the bits of the window follow
_TOP_SIZE = 6


class Window:
    """`top` is the highest accepted number, 0 before the first; bit i of `seen` tells of number top - i."""

    def __init__(self, packed: bytes = b""):
        self.top = self.seen = 0
        if packed:
            high, low = struct.unpack_from(_FORMAT, packed, 0)
            self.top = high << 32 | low
            self.seen = int.from_bytes(packed[_TOP_SIZE:], "big")

    def pack(self) -> bytes:
        """Return the 38 bytes that make the same window."""
        top = struct.pack(_FORMAT, self.top >> 32, self.top & 0xFFFFFFFF)
        return top + self.seen.to_bytes(WINDOW_SIZE // 8, "big")

    def check_unseen(self, number: int) -> None:
        """UnitError TOO_OLD for a number below the window, DUPLICATE for one that was accepted."""
        age = self.top - number
        if age >= WINDOW_SIZE:
            raise errors.UnitError(errors.TOO_OLD)
        if age >= 0 and self.seen >> age & 1:
            raise errors.UnitError(errors.DUPLICATE)

    def check_near(self, number: int) -> None:
        """UnitError TOO_FAR for a number that only a sender with a broken counter would use."""
        if number > self.top + MAX_JUMP:
            raise errors.UnitError(errors.TOO_FAR)

    def accept(self, number: int) -> None:
        """Remember a number that is not below the window."""
        ahead = number - self.top
        if ahead <= 0:
            self.seen |= 1 << -ahead
            return
        kept = self.seen << ahead & (1 << WINDOW_SIZE) - 1 if ahead < WINDOW_SIZE else 0
        self.seen = kept | 1
        self.top = number
