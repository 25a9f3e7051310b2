# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""File format of the lookup tables that generate key bits with d <= 3 on a board.

The phase of an element in half periods of the cosine, v = frac(e y1 / pi) 2^29, determines its bit: |cos| falls from 1
at v = 0 to 0 at 2^28, and rises again. The bit changes at 2 * 10^d thresholds, which mirror each other.

- cells, 2^CELL_BITS[d] bytes, indexed by the upper bits of v: 0 or 1 if the bit is constant in the cell; NEAR if a
  threshold lies in the cell or closer than MARGIN to it
- crossings, u16, little-endian, indexed by v >> crossing_shift(d): the threshold in this cell, relative to the cell,
  as a multiple of 2^threshold_shift(d) whose binary digits end in 10 or 11. The last one is the bit of the elements
  below the threshold. A threshold closer than MARGIN to a border is in both cells, on the border of the wrong one.
- the CRC-32 of both tables, u32, little-endian
"""

import binascii
import struct

PHASE_BITS = 29  # the sum of two phases is a small integer on the board
MARGIN = 20  # bound on the sum of the errors of a phase and a threshold
NEAR = 2
CELL_BITS = {1: 13, 2: 14, 3: 14}
_CROSSING_SHIFTS = {1: 20, 2: 18, 3: 17}


def crossing_shift(digits: int) -> int:
    """Return the binary logarithm of the size of a cell of the crossings.

    |cos| changes by at most pi 2^-29 per unit of v. Thresholds are therefore at least 2^29 / (pi 10^d) apart. This is
    more than the size of a cell plus twice MARGIN, so a cell has at most one threshold.
    """
    return _CROSSING_SHIFTS[digits]


def threshold_shift(digits: int) -> int:
    """Return the binary logarithm of the unit of a threshold: 16 bits span a cell of the crossings."""
    return _CROSSING_SHIFTS[digits] - 16


def margin(digits: int) -> int:
    """Return the bound on the error of a comparison: rounding moves a threshold by at most 3 units."""
    return MARGIN + (3 << threshold_shift(digits))


def crossings_size(digits: int) -> int:
    """Return the size of the crossings in bytes."""
    return 2 << PHASE_BITS - _CROSSING_SHIFTS[digits]


def file_name(digits: int) -> str:
    """Return the name of the file, which lies beside the unit's modules."""
    return "cells%d.bin" % digits


def ending(cells: bytes, crossings: bytes) -> bytes:
    """Return the checksum of both tables, the last four bytes of a file."""
    return struct.pack("<I", binascii.crc32(crossings, binascii.crc32(cells)))
