# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packing of words into bytes: with ulab on the board, in plain Python elsewhere."""

# pyright: basic, reportMissingModuleSource=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# (the module exists on the board only, and the stubs are incomplete)

from array import array

try:
    from ulab import numpy as np
except ImportError:
    np = None
else:
    # Slice objects, because the board rules forbid the syntax of slices with a step: only ulab accepts them.
    _LOWER_BYTES = slice(0, None, 2)
    _UPPER_BYTES = slice(1, None, 2)


class Words:
    """A buffer of words of eight bits each, at even positions. Packing destroys them."""

    def __init__(self, count: int):
        self.words = array("H", bytes(2 * count))
        if np:
            halves = np.frombuffer(self.words, dtype=np.uint8)
            self._lower, self._upper = halves[_LOWER_BYTES], halves[_UPPER_BYTES]

    def squeezed(self, count: int) -> "bytes | bytearray":
        """Return one byte for each of the first `count` words.

        The bits of the upper half, from the highest on, become bits 7, 5, 3, 1; those of the lower half 6, 4, 2, 0.
        """
        if np:
            upper = self._upper[:count]
            upper += upper
            upper += self._lower[:count]
            return upper.copy().tobytes()
        words = self.words
        return bytes([(words[i] | words[i] >> 7) & 0xFF for i in range(count)])
