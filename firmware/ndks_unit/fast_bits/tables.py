# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The tables of d <= 3 in memory (their layout: ndks_protocol.cell_tables).

On the board the large ones are read first of all: a heap with modules in it refuses 32 KB in one piece. A spare piece
is held while modules are loaded, so that they lie close together and leave one that is as large.
"""

import gc
from array import array

from ndks_protocol import cell_tables

FOLDER = "/lib/ndks_unit"  # on the board's drive

_SPARE = 26 * 1024

_spare: list[bytearray] = []
_kept: "list[Tables]" = []  # at most one: of d = 3 until the unit knows its network, then the one that it needs


class Tables:
    """`cells` and `crossings` of one d. OSError when `path` cannot be read, ValueError when it is damaged."""

    def __init__(self, path: str, digits: int):
        self.digits = digits
        with open(path, "rb") as file:
            self.cells = file.read(1 << cell_tables.CELL_BITS[digits])
            crossings = file.read(cell_tables.crossings_size(digits))
            ending = file.read(4)
        if ending != cell_tables.ending(self.cells, crossings):
            raise ValueError("the table is damaged")
        self.crossings = array("I", crossings)


def read_early(folder: str) -> None:
    """Read the tables of d = 3, in case that they are needed, and hold the spare piece."""
    find(folder, 3)
    _spare.append(bytearray(_SPARE))


def release_spare() -> None:
    """Give the spare piece back: all modules are loaded."""
    gc.collect()  # what is made next goes into the gaps
    _spare.clear()


def find(folder: str, digits: int) -> "Tables | None":
    """Return the tables of d = digits; None when there are none for it, or they are missing or damaged.

    They are kept for the next session. Others that were kept are given up: from now on the network is known.
    """
    if _kept and _kept[0].digits == digits:
        return _kept[0]
    _kept.clear()  # their memory is needed
    if digits not in cell_tables.CELL_BITS:
        return None
    try:
        _kept.append(Tables(folder + "/" + cell_tables.file_name(digits), digits))
    except (OSError, ValueError, MemoryError):  # a damaged one is read again when the heap is full
        return None
    return _kept[0]
