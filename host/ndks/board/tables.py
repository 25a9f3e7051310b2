# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tables of the fast generator for the drive of a board; ndks_protocol.cell_tables describes their layout."""

import math
import struct

from ndks_protocol import cell_tables as layout


def table_file(digits: int) -> bytes:
    """Return the content of the table file for d = `digits` (1 to 3)."""
    found = thresholds(digits)
    cells, crossings = _cells(digits, found), _crossings(digits, found)
    return cells + crossings + layout.ending(cells, crossings)


def thresholds(digits: int) -> list[int]:
    """Return the phases at which round(10^d |cos|) changes, ascending, with an error of at most 0.51.

    The error of acos in doubles is about 2^-51, 2^-23 of these units. Near 1, half a unit in the last place of the
    argument, 2^-54, moves acos(1 - 0.0005) by 2^-49. No bit depends on these errors: the margin covers them.
    """
    scale = 10**digits
    unit = (1 << layout.PHASE_BITS) / math.pi
    return [round(math.acos((2 * i + 1) / (2 * scale)) * unit) for i in reversed(range(scale))]


def _cells(digits: int, found: list[int]) -> bytes:
    shift = layout.PHASE_BITS - layout.CELL_BITS[digits]
    half = bytearray(1 << layout.CELL_BITS[digits] - 1)
    bit = 0  # 10^d, the value at phase 0, is even
    for threshold, following in zip(found, [*found[1:], 1 << layout.PHASE_BITS - 1], strict=True):
        bit ^= 1
        for cell in range(threshold >> shift, min((following >> shift) + 1, len(half))):
            half[cell] = bit
    for threshold in found:
        for cell in range((threshold - layout.MARGIN) >> shift, ((threshold + layout.MARGIN) >> shift) + 1):
            half[cell] = layout.NEAR
    return bytes(half) + bytes(reversed(half))


def _crossings(digits: int, found: list[int]) -> bytes:
    shift, unit = layout.crossing_shift(digits), layout.threshold_shift(digits)
    crossings = [0] * (1 << layout.PHASE_BITS - shift)
    mirrored = [(1 << layout.PHASE_BITS) - threshold for threshold in reversed(found)]
    for number, threshold in enumerate(found + mirrored):
        for cell in {(threshold - layout.MARGIN) >> shift, (threshold + layout.MARGIN) >> shift}:
            assert not crossings[cell], "a cell has one threshold"
            relative = min(max(threshold - (cell << shift), 0), (1 << shift) - 1) >> unit
            crossings[cell] = relative & ~3 | 2 | number & 1
    return struct.pack(f"<{len(crossings)}H", *crossings)
