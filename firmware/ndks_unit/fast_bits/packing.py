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


def squeeze(words: "array[int]", count: int) -> bytes:
    """Return one byte for each of the first `count` words, made of the eight bits at even positions.

    The bits of the upper half, from the highest on, become bits 7, 5, 3, 1; those of the lower half 6, 4, 2, 0.
    """
    if np:
        halves = np.frombuffer(words, dtype=np.uint8)[: 2 * count]
        upper = halves[_UPPER_BYTES]
        return (upper + upper + halves[_LOWER_BYTES]).tobytes()
    return bytes([(words[i] | words[i] >> 7) & 0xFF for i in range(count)])
