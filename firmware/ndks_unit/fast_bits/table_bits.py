# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Generator for d <= 3: 29-bit phases, a lookup table on their upper bits, thresholds for the remaining cases.

Strategy: phases are in half periods of the cosine, v = frac(e y1 / pi), and need small integers only. Element 8 i + j
of a block has v = start - i s8 - sj, where sj = frac(-j y1 / pi). This is one subtraction; a negative result indexes
the tables from their ends, which is the reduction modulo one. Eight elements make one word with two bits each: the bit
of the key, and above it a flag for a threshold nearby. Even elements come before odd ones, so that one shift makes a
byte of the word. A flagged element is compared with its threshold. If it is closer than the error bound, exact
arithmetic decides.

Error bound, in units of 2^-29: less than 1 for the start of a stretch of 2048 elements; 1/2 for rounding the start of a
block of 256; 31/2 for 31 steps of s8; 1/2 for one sj; 0.51 for the threshold. The bits of the step beyond 2^-45 add
less than 2^-5, its 2 ulp less than 2^-20. The sum is below 18.1; MARGIN is 20.
"""

from ndks_protocol.cell_tables import CELL_BITS, PHASE_BITS, crossing_shift, margin, threshold_shift

from .packing import Words
from .phases import FastKeystream, Phases
from .tables import Tables

_MASK = (1 << PHASE_BITS) - 1
_BLOCK = 32  # words, of eight elements each
_STRETCH = 256  # words between exact starts
_FLAGS = 0xAAAA
_ELEMENTS = (7, 0, 5, 0, 3, 0, 1, 0, 6, 0, 4, 0, 2, 0, 0)  # of a word, by the number of bits below an element


def _places() -> bytes:
    """Return a table from a byte of flags to the place of one of them: the number of bits below its element."""
    return bytes([6 if flags & 0x80 else 4 if flags & 0x20 else 2 if flags & 8 else 0 for flags in range(0xAB)])


class TableGenerator:
    """The generator of one network with d <= 3, by tables."""

    def __init__(self, phases: Phases, tables: Tables):
        self.phases = phases
        self.words = Words(_STRETCH)
        crossing_bits = crossing_shift(tables.digits)
        self.constants = (
            (tables.cells, PHASE_BITS - CELL_BITS[tables.digits])
            + (tables.crossings, crossing_bits, (1 << crossing_bits) - 1, threshold_shift(tables.digits))
            + (margin(tables.digits), _places(), self.words.words)
        )

    def key(self, index: int) -> "TableKeystream":
        """Return the keystream of key `index` (1 to 2^64)."""
        return TableKeystream(self, index)


class TableKeystream(FastKeystream):
    """The bits of one key by tables."""

    def __init__(self, generator: TableGenerator, index: int):
        super().__init__(generator.phases, index)
        self._generator = generator
        # 16 more bits than a phase: after a stretch the error is still below 2^-5.
        self._double = self._step >> self._phases.step_bits - PHASE_BITS - 17
        self._steps = [self._rounded(-j) if j else 0 for j in _ELEMENTS]
        self._step_of_word = self._rounded(-8)
        self._starts: list[int] = []  # phases of the blocks of a stretch, relative to the first

    def _rounded(self, elements: int) -> int:
        """Return the phase after so many elements, rounded."""
        return (self._double * elements + 0x8000) >> 16 & _MASK

    def _fill(self, data: "bytearray | memoryview", position: int) -> None:
        size = len(data)
        for begin in range(0, size, _STRETCH):
            count = min(_STRETCH, size - begin)
            self._make_words(8 * (position + begin), count)
            data[begin : begin + count] = self._generator.words.squeezed(count)

    def _make_words(self, element: int, count: int) -> None:
        """Make `count` words from `element` on."""
        phases = self._phases
        starts = self._starts
        while _BLOCK * len(starts) < count:
            starts.append(self._rounded(8 * _BLOCK * len(starts)))
        phase = 2 * self._step * element >> phases.step_bits - PHASE_BITS & _MASK
        self._make_blocks(element, count, phase)

    def _make_blocks(self, element: int, count: int, phase: int) -> None:
        """Make `count` words from `element` on, which has this phase. Only exact arithmetic needs large integers."""
        constants = self._generator.constants
        cells, shift = constants[0], constants[1]
        i = v = word = 0  # like the next seven: MicroPython has the fastest access to the first 16 variables
        steps = self._steps
        s1, s2, s3, s4, s5, s6, s7 = steps[6], steps[12], steps[4], steps[10], steps[2], steps[8], steps[0]
        flags, mask, s8 = _FLAGS, _MASK, self._step_of_word
        _, _, crossings, crossing_bits, inside, unit, error, places, words = constants
        begin = 0
        for start in self._starts:
            v = phase + start & mask
            span = range(begin, min(begin + _BLOCK, count))  # inside the statement, a turn of the loop takes 2 us more
            for i in span:
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
                while word & flags:
                    near = word & flags
                    place = places[near >> 8] + 8 if near > 255 else places[near]
                    distance = v - steps[place]
                    bit = crossings[distance >> crossing_bits]
                    distance = (distance & inside) - (bit << unit)
                    if distance > error:
                        bit ^= 1
                    elif distance >= -error:
                        bit = self._exact(element + (i << 3) + _ELEMENTS[place]) | 2
                    word ^= (bit & 3) << place
                words[i] = word
                v = v - s8 & mask
            begin += _BLOCK
            if begin >= count:
                return
