# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Bytes out of words: with ulab on the board, in plain Python elsewhere, to the same bytes."""

# pyright: basic, reportMissingModuleSource=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# (the module is nowhere but on the board, and the stubs know little of it)

from array import array

try:
    from ulab import numpy as np
except ImportError:
    np = None
else:
    # As objects, for no other class on the board takes slices with a step.
    _LOWER_BYTES = slice(0, None, 2)
    _UPPER_BYTES = slice(1, None, 2)


def squeeze(words: "array[int]", count: int) -> bytes:
    """Return a byte for each of the first `count` words, of the eight bits in its even places.

    Those of the upper half, from the highest on, become bits 7, 5, 3, 1, and those of the lower half 6, 4, 2, 0.
    """
    if np:
        halves = np.frombuffer(words, dtype=np.uint8)[: 2 * count]
        upper = halves[_UPPER_BYTES]
        return (upper + upper + halves[_LOWER_BYTES]).tobytes()
    return bytes([(words[i] | words[i] >> 7) & 0xFF for i in range(count)])
