# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""High-water marks of the two stacks of the interpreter: that of Python's calls, and that of C.

Python's grows upwards from pystack_start to pystack_end; pystack_cur is the first free byte. The three are neighbours
in `mp_state_ctx` (py/mpstate.h). What is free while the unit waits gets a pattern; the last byte that has lost it later
is the mark.
"""

import struct
from typing import TYPE_CHECKING

from .symbols import Symbols

if TYPE_CHECKING:
    from ndks_chip import Chip

_PATTERN = 0xA5
_VECTORS = 0x10000100  # behind the second-stage boot loader; the first word is the top of C's stack
_CONTEXT_SIZE = 1024  # bytes of mp_state_ctx that are searched; the state of the thread comes first


class StackMarks:
    """From now on. The unit must wait for a request now."""

    def __init__(self, chip: "Chip", symbols: Symbols) -> None:
        self._chip = chip
        chip.forget_lowest_sp()
        self._bounds = (0, 0)
        if symbols:
            start = word(chip, symbols.addresses["_pystack"])
            context = chip.read(symbols.addresses["mp_state_ctx"], _CONTEXT_SIZE)
            end, current = python_stack(context, start)
            self._bounds = start, end
            chip.write(current, bytes([_PATTERN]) * (end - current))

    @property
    def c_bytes(self) -> int:
        return word(self._chip, _VECTORS) - self._chip.lowest_sp

    @property
    def python_size(self) -> int:
        """Its size in bytes; 0 without symbols."""
        start, end = self._bounds
        return end - start

    @property
    def python_bytes(self) -> int:
        return len(self._chip.read(self._bounds[0], self.python_size).rstrip(bytes([_PATTERN])))


def python_stack(context: bytes, start: int) -> tuple[int, int]:
    """Return pystack_end and pystack_cur from a copy of the interpreter's state. Raises ValueError if not there."""
    words = struct.unpack(f"<{len(context) // 4}I", context)
    for first, end, current in zip(words, words[1:], words[2:], strict=False):
        if first == start and start < current < end:
            return end, current
    raise ValueError("the interpreter's state has no Python stack")


def word(chip: "Chip", address: int) -> int:
    return int.from_bytes(chip.read(address, 4), "little")
