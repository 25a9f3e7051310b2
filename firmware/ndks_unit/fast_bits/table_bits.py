# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Generator for d <= 3: 29-bit phases, a lookup table on their upper bits, thresholds for the remaining cases.

Strategy: phases are in half periods of the cosine, v = frac(e y1 / pi), and need small integers only. Element 8 i + j
of a block has v = start - i s8 - sj, where sj = frac(-j y1 / pi). This is one subtraction; a negative result indexes
the table from its end, which is the reduction modulo one. Eight elements make one word with two bits each: the bit of
the key, and above it a flag for a threshold nearby. Even elements come before odd ones, so that one shift makes a byte
of the word. A flagged element is compared with its threshold. If it is closer than the error bound, exact arithmetic
decides.

Error bound, in units of 2^-29: less than 1 for the start of a stretch of 2048 elements; 1/2 for rounding the start of a
block of 256; 31/2 for 31 steps of s8; 1/2 for one sj; 1 for folding with 2^29 - 1 instead of 2^29; 0.51 for the
threshold. The 2 ulp of the step add less than 2^-20. The sum is below 19.1; MARGIN is 20.
"""

from array import array

from ndks_protocol.cell_tables import CELL_BITS, MARGIN, PHASE_BITS, crossing_shift

from .packing import squeeze
from .phases import FastKeystream, Phases
from .tables import Tables

_TURN = 1 << PHASE_BITS
_MASK = _TURN - 1
_BLOCK = 32  # words, of eight elements each
_STRETCH = 256  # words between exact starts
_FLAGS = 0xAAAA
_ORDER = (0, 2, 4, 6, 1, 3, 5, 7)  # order of the elements in a word


def _first_flags() -> bytes:
    """Return a table from a byte of flags to the first of its four positions that has a flag."""
    return bytes([0 if flags & 0x80 else 1 if flags & 0x20 else 2 if flags & 8 else 3 for flags in range(0xAB)])


class TableGenerator:
    """The generator of one network with d <= 3, by tables."""

    def __init__(self, phases: Phases, tables: Tables):
        self.phases = phases
        self.tables = tables
        self.words = array("H", bytes(2 * _STRETCH))
        self.first_flags = _first_flags()

    def key(self, index: int) -> "TableKeystream":
        """Return the keystream of key `index` (1 to 2^64)."""
        return TableKeystream(self, index)


class TableKeystream(FastKeystream):
    """The bits of one key by tables."""

    def __init__(self, generator: TableGenerator, index: int):
        super().__init__(generator.phases, index)
        self._generator = generator
        self._double = 2 * self._step
        self._steps = [self._rounded(-self._double * j) for j in _ORDER + (8,)]
        self._starts = [self._rounded(self._double * 8 * _BLOCK * j) for j in range(_STRETCH // _BLOCK)]

    def _rounded(self, phase: int) -> int:
        bits = self._phases.step_bits - PHASE_BITS
        return (phase + (1 << bits - 1)) >> bits & _MASK

    def _fill(self, data: "bytearray | memoryview", position: int) -> None:
        size = len(data)
        for begin in range(0, size, _STRETCH):
            count = min(_STRETCH, size - begin)
            self._phases.feed_watchdog()
            self._make_words(8 * (position + begin), count)
            data[begin : begin + count] = squeeze(self._generator.words, count)

    def _make_words(self, element: int, count: int) -> None:
        """Make `count` words from `element` on. Only the first line needs large integers."""
        phase = (self._double * element & self._phases.mask) >> self._phases.step_bits - PHASE_BITS
        begin = 0
        for start in self._starts:
            end = begin + _BLOCK
            if end >= count:
                self._make_block(begin, count, phase + start & _MASK, element)
                return
            self._make_block(begin, end, phase + start & _MASK, element)
            begin = end

    def _make_block(self, begin: int, end: int, v: int, element: int) -> None:
        generator = self._generator
        cells = generator.tables.cells
        shift = PHASE_BITS - CELL_BITS[generator.tables.digits]
        words = generator.words
        _, s2, s4, s6, s1, s3, s5, s7, s8 = steps = self._steps
        mask = _MASK
        flags = _FLAGS
        crossings = generator.tables.crossings
        crossing_bits = crossing_shift(generator.tables.digits)
        first_flags = generator.first_flags
        half = _TURN >> 1
        margin = MARGIN
        for i in range(begin, end):
            word = (
                (
                    (
                        (
                            ((cells[v >> shift] << 2 | cells[v - s2 >> shift]) << 2 | cells[v - s4 >> shift]) << 2
                            | cells[v - s6 >> shift]
                        )
                        << 2
                        | cells[v - s1 >> shift]
                    )
                    << 2
                    | cells[v - s3 >> shift]
                )
                << 2
                | cells[v - s5 >> shift]
            ) << 2 | cells[v - s7 >> shift]
            near = word & flags
            while near:
                place = first_flags[near >> 8] if near > 255 else first_flags[near] + 4
                distance = v - steps[place] & mask
                if distance >= half:
                    distance = mask - distance
                bit = crossings[distance >> crossing_bits]
                distance -= bit >> 1
                if distance > margin:
                    bit ^= 1
                elif distance >= -margin:
                    bit = self._exact(element + (i << 3) + _ORDER[place])
                place = 14 - (place << 1)
                word ^= (bit & 1 | 2) << place
                near ^= 2 << place
            words[i] = word
            v = v - s8 & mask
