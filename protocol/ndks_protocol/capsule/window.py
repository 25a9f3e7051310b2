# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Replay window over the message numbers of one sender, after RFC 4303, section 3.4.3.

It accepts late and reordered messages, each of them once. It needs no clock.
"""

import struct

from ndks_protocol import errors
from ndks_protocol.wire import MAX_JUMP, WINDOW_SIZE

_FORMAT = ">HI"  # the highest number, u48; the bitmap of the window follows
_TOP_SIZE = 6


class Window:
    """A replay window. `top` is the highest accepted number, or 0; bit i of `seen` stands for number top - i."""

    def __init__(self, packed: bytes = b""):
        self.top = self.seen = 0
        if packed:
            high, low = struct.unpack_from(_FORMAT, packed, 0)
            self.top = high << 32 | low
            self.seen = int.from_bytes(packed[_TOP_SIZE:], "big")

    def pack(self) -> bytes:
        """Return the window as 38 bytes."""
        top = struct.pack(_FORMAT, self.top >> 32, self.top & 0xFFFFFFFF)
        return top + self.seen.to_bytes(WINDOW_SIZE // 8, "big")

    def check_unseen(self, number: int) -> None:
        """Raise UnitError TOO_OLD for a number below the window, DUPLICATE for an accepted number."""
        age = self.top - number
        if age >= WINDOW_SIZE:
            raise errors.UnitError(errors.TOO_OLD)
        if age >= 0 and self.seen >> age & 1:
            raise errors.UnitError(errors.DUPLICATE)

    def check_near(self, number: int) -> None:
        """Raise UnitError TOO_FAR for a number more than MAX_JUMP above `top`: the sender's counter is broken."""
        if number > self.top + MAX_JUMP:
            raise errors.UnitError(errors.TOO_FAR)

    def accept(self, number: int) -> None:
        """Mark a number as accepted. It must not lie below the window."""
        ahead = number - self.top
        if ahead <= 0:
            self.seen |= 1 << -ahead
            return
        kept = self.seen << ahead & (1 << WINDOW_SIZE) - 1 if ahead < WINDOW_SIZE else 0
        self.seen = kept | 1
        self.top = number
