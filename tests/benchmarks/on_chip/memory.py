# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The heap and the stacks of a unit in a session. Sizes are in thousands of bytes if nothing else is said."""

from typing import Protocol

from ndks_protocol import commands
from ndks_protocol.commands import AES

from .chip_unit import ChipUnit, Cost
from .figures import Figures, costs, medians
from .heap import RAM_BASE, Heap, read_heap
from .member import Member
from .stacks import StackMarks

_RAM_SIZE = 264 << 10


def heap_of(unit: ChipUnit) -> Heap:
    """Return the heap without garbage."""
    unit.pause()
    return read_heap(unit.chip.read(RAM_BASE, _RAM_SIZE))


class Measured(Protocol):
    """A unit in a session."""

    @property
    def unit(self) -> ChipUnit: ...

    def status(self) -> int: ...


def memory(member: Measured) -> Figures:
    """What STATUS calls free has parts of RAM that the heap may still take, as well as holes."""
    free = member.status()
    heap = heap_of(member.unit)
    return {"free": free / 1000, "largest": largest_block(free, heap) / 1000, "holes": heap.holes}


def largest_block(free: int, heap: Heap) -> int:
    """Return the largest hole, or the piece of RAM that the heap takes for a block that fits into no hole."""
    return max(heap.largest, free - heap.free)


def collection(member: Member) -> Figures:
    """Milliseconds of a collection; STATUS begins with one."""
    taken = costs(member, 5, member.status) if member.unit.symbols else []
    return medians({"collection": [cost.collecting_ms / cost.collections for cost in taken if cost.collections]})


def allocations(member: Member) -> Figures:
    """Allocations, and their bytes, of one request."""
    if not member.unit.symbols:
        return {}
    taken = {
        "NEXT_INDEX": costs(member, 9, lambda: member.host.call(commands.NEXT_INDEX)),
        "a new key": costs(member, 9, lambda: member.new_key(32)),
        "KEY_CHUNK": _shares(member.key_stream(4), 4),
        "SEAL_CHUNK": _shares(member.seal_stream(AES, 8), 8),
    }
    counts = {f"allocations, {name}": [cost.allocations for cost in each] for name, each in taken.items()}
    sizes = {f"allocated, {name}": [cost.allocated for cost in each] for name, each in taken.items()}
    return medians(counts) | medians(sizes)


def _shares(cost: Cost, count: int) -> list[Cost]:
    """Return what each of `count` requests cost on average."""
    return [Cost(*(part / count for part in cost))]


def stacks(marks: StackMarks) -> Figures:
    """Percent of Python's stack; thousands of bytes of C's."""
    figures = {"C stack": marks.c_bytes / 1000}
    if marks.python_size:
        figures |= {"Python stack": 100 * marks.python_bytes / marks.python_size, "its size": marks.python_size}
    return figures
