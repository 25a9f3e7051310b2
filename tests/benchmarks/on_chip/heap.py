# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The heap of CircuitPython, read from a copy of the chip's RAM.

Each area of the heap has a record (`mp_state_mem_area_t` of py/mpstate.h) of words: the next record; allocation table
and its size; tables of finalisers and of blocks to scan; start and end of the blocks. The allocation table has two bits
a block: free, head, tail, marked. Records are found by their shape, so that no symbols are needed. The first one is in
the interpreter's state; each other one lies before its allocation table, and stays when the heap gives its area back.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

RAM_BASE = 0x20000000
BLOCK = 16  # bytes
_RECORD_SIZE = 36  # bytes, with two words that are of no use here
_GAP = 1  # bytes between allocation table and finalisers
_BLOCKS_A_BYTE = 4  # of the allocation table
_KINDS = [bytes(byte >> shift & 3 for shift in (0, 2, 4, 6)) for byte in range(256)]
_FREE = re.compile(rb"\0+")


class Heap(NamedTuple):
    """Sizes in bytes. A hole is a run of free blocks; the largest block is the longest one."""

    total: int
    free: int
    largest: int
    holes: int


class _Area(NamedTuple):
    next: int
    table: int
    table_size: int
    finalisers: int
    scanned: int
    start: int
    end: int


def read_heap(ram: bytes) -> Heap:
    """Raise ValueError where there is no heap, or where it is not clear which one is in use."""
    holes: list[int] = []
    total = 0
    for area in _areas(ram):
        at = area.table - RAM_BASE
        kinds = b"".join(_KINDS[byte] for byte in ram[at : at + area.table_size])
        holes += [BLOCK * len(run) for run in _FREE.findall(kinds)]
        total += BLOCK * len(kinds)
    return Heap(total, sum(holes), max(holes, default=0), len(holes))


def _areas(ram: bytes) -> list[_Area]:
    found = dict(_records(ram))
    heads = [area for address, area in found.items() if area.table != address + _RECORD_SIZE]
    if len(heads) != 1:
        raise ValueError(f"the RAM has {len(heads)} heaps, not one")
    chain = heads
    while chain[-1].next:
        chain.append(found[chain[-1].next])
    return chain


def _records(ram: bytes) -> Iterator[tuple[int, _Area]]:
    words = struct.unpack(f"<{len(ram) // 4}I", ram)
    for index in range(len(words) - len(_Area._fields) + 1):
        if words[index + 2]:
            area = _Area(*words[index : index + len(_Area._fields)])
            if _is_area(area, RAM_BASE, RAM_BASE + len(ram)):
                yield RAM_BASE + 4 * index, area


def _is_area(area: _Area, low: int, high: int) -> bool:
    is_in_order = low <= area.table and area.finalisers < area.scanned < area.start < area.end <= high
    has_tables = area.finalisers == area.table + area.table_size + _GAP
    has_next = area.next == 0 or low <= area.next < high
    return is_in_order and has_tables and has_next and area.end - area.start == area.table_size * _BLOCKS_A_BYTE * BLOCK
