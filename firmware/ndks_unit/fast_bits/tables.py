# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Loader and cache of the lookup tables for d <= 3 (format: ndks_protocol.cell_tables).

On the board the largest tables are read first: after the modules are loaded, the heap has no contiguous block of 16 KB.
A spare block is held while modules are loaded. Releasing it leaves a large contiguous block.
"""

import gc
from array import array

from ndks_protocol import cell_tables

FOLDER = "/lib/ndks_unit"  # on the drive of the board

_SPARE = 26 * 1024

_spare: list[bytearray] = []
_kept: "list[Tables]" = []  # at most one: for d = 3 until the unit knows d, then for that d


class Tables:
    """`cells` and `crossings` for one d. OSError: the file is not readable. ValueError: it is damaged."""

    def __init__(self, path: str, digits: int):
        self.digits = digits
        with open(path, "rb") as file:
            self.cells = file.read(1 << cell_tables.CELL_BITS[digits])
            crossings = file.read(cell_tables.crossings_size(digits))
            ending = file.read(4)
        if ending != cell_tables.ending(self.cells, crossings):
            raise ValueError("the table is damaged")
        self.crossings = array("H", crossings)


def read_early(folder: str) -> None:
    """Read the tables for d = 3, in case the unit needs them, and allocate the spare block."""
    find(folder, 3)
    _spare.append(bytearray(_SPARE))


def release_spare() -> None:
    """Release the spare block after all modules are loaded."""
    gc.collect()  # so that later allocations fill the gaps first
    _spare.clear()


def find(folder: str, digits: int) -> "Tables | None":
    """Return the tables for d = digits, or None if d > 3 or the file is missing or damaged.

    The tables are cached for the next session. Tables for another d are dropped from the cache.
    """
    if _kept and _kept[0].digits == digits:
        return _kept[0]
    _kept.clear()  # free the memory
    if digits not in cell_tables.CELL_BITS:
        return None
    try:
        _kept.append(Tables(folder + "/" + cell_tables.file_name(digits), digits))
    except (OSError, ValueError, MemoryError):  # a damaged file is read again later, when the heap may be full
        return None
    return _kept[0]
