# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The tables that make the bits of d <= 3 fast on a board: their layout in a file, and their check.

The phase of an element in half periods of the cosine, v = frac(e y1 / pi) 2^29, decides its bit: |cos| falls from 1
at v = 0 to 0 at 2^28, and rises again. The bit changes at 10^d thresholds below 2^28, and at their mirror images.

- cells, 2^CELL_BITS[d] bytes, by the upper bits of v: 0 or 1, the bit of the whole cell; NEAR, when it holds a
  threshold or one is nearer than MARGIN to it
- crossings, u32, little-endian, by v < 2^28 without its lower `crossing_shift` bits: 2 t + 1 when the bit is 1 below
  the threshold t, 2 t when it is 0 there. A threshold nearer than MARGIN to a border is in both cells.
- the CRC-32 of these, u32, little-endian
"""

import binascii
import struct

PHASE_BITS = 29  # sums of two phases are small integers on the board
MARGIN = 20  # how far from the truth a phase and a threshold together may be
NEAR = 2
CELL_BITS = {1: 13, 2: 13, 3: 14}
_CROSSING_SHIFTS = {1: 23, 2: 20, 3: 17}


def crossing_shift(digits: int) -> int:
    """Return the size of a crossing's cell, as a power of 2.

    |cos| changes by at most pi 2^-29 for each unit of v, so that thresholds are at least 2^29 / (pi 10^d) apart: more
    than this size and twice MARGIN, so that no cell gets two.
    """
    return _CROSSING_SHIFTS[digits]


def crossings_size(digits: int) -> int:
    """Return how many bytes the crossings take."""
    return 4 << PHASE_BITS - 1 - _CROSSING_SHIFTS[digits]


def file_name(digits: int) -> str:
    """Return the name of the file beside the unit's modules."""
    return "cells%d.bin" % digits


def ending(cells: bytes, crossings: bytes) -> bytes:
    """Return the four bytes that end a file."""
    return struct.pack("<I", binascii.crc32(crossings, binascii.crc32(cells)))
