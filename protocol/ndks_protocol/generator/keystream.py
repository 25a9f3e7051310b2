# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Key bits by a chain of operators, correctly rounded (PROTOCOL.md section 2). The default is equation 7:

    y1 = p2 sin(p1 k)     y2 = cos(y1 e)     y3 = last digit of round(10^d |y2|)     y4 = y3 mod 2 = bit e of key k

Strategy: the phase of element e is frac(e y1 / 2 pi), an integer of w + 45 bits, which is enough for every e up to
2^40. Inside a block the recurrence cos((j+1) a) = 2 cos a cos(j a) - cos((j-1) a) gives the cosines. A bit is accepted
only if the error bound leaves no doubt. Otherwise that element is computed again with more bits (Ziv's method).
"""

from ..parameters import F1, F2, MAX_ELEMENTS, MAX_INDEX, check_parameters
from ..turns import bit_length
from .fixed_point import cosine
from .operators import digit, parity, sinusoid

_BLOCK = 128  # elements between exact restarts of the recurrence
_GUARD = 50  # fractional bits beyond those of 10^d: the recurrence leaves one element in 2^31 in doubt


class Generator:
    """The chain of operators f1, f2, f3 = digit and f4 = parity, with its parameters. The default is equation 7.

    p1 and p2 are decimal texts; digits is d, 1 to 12. ValueError: a parameter is out of range.
    """

    def __init__(self, p1: str, p2: str, digits: int, f1: str = F1[0], f2: str = F2[0]):
        self._p1, self._p2 = check_parameters(p1, p2, digits, f1, f2)
        self.digits = digits
        self.f1 = f1
        self.f2 = f2
        self.power = F2.index(f2) + 1  # y2 = cos(y1 e^power)
        self._f1 = sinusoid
        self._keystream = Keystream
        if f1 != F1[0]:
            from . import frequencies

            self._f1 = frequencies.BY_NAME[f1]
        if self.power > 1:
            from .powers import PowerKeystream

            self._keystream = PowerKeystream

    def key(self, index: int) -> "Keystream":
        """Return the keystream of key `index` (1 to 2^64)."""
        return self._keystream(self, index)

    def phase_step(self, index: int, bits: int) -> int:
        """Return frac(y1 / 2 pi) of a key with `bits` fractional bits and an error below 2 ulp."""
        return self._f1(self._p1, self._p2, index, bits)


class Keystream:
    """The bits of one key, with random access. `Generator.key` returns it."""

    piece = 64  # bytes per read of a board that feeds its watchdog in between

    def __init__(self, generator: Generator, index: int):
        if not 1 <= index <= MAX_INDEX:
            raise ValueError("a key index lies between 1 and 2^64")
        self.index = index
        self._generator = generator
        self._scale = 10**generator.digits
        self._bits = _GUARD + bit_length(self._scale)
        self._power = generator.power
        self._phase_guard = 40 * self._power + 5  # the phase step is multiplied by less than 2^(40 power)
        self._step = generator.phase_step(index, self._bits + self._phase_guard)
        self._set_up()

    def _set_up(self) -> None:
        # 2 cos a, clamped to [-2, 2]: outside this range the recurrence would grow exponentially.
        twice = 2 * self._cosine(1, self._bits, self._step)
        self._twice_cosine = max(-2 << self._bits, min(twice, 2 << self._bits))

    def read(self, first: int, count: int) -> bytearray:
        """Return `count` bits from element `first` on, most significant bit first, padded with zeros to whole bytes."""
        if first < 0 or count < 0 or first + count > MAX_ELEMENTS:
            raise ValueError("an element index lies between 0 and 2^40 - 1")
        out = bytearray((count + 7) // 8)
        for start in range(0, count, _BLOCK):
            self._fill(out, start, min(_BLOCK, count - start), first + start)
        return out

    def read_into(self, view: "bytearray | memoryview", first: int) -> None:
        """Fill `view` with the bits from element `first` on."""
        view[:] = self.read(first, 8 * len(view))

    def _fill(self, out: bytearray, position: int, count: int, element: int) -> None:
        """Write `count` bits from `element` on to `out`, starting at bit `position`, a multiple of 8.

        Error bound, in units of 10^d ulp: 9 for each of the first two cosines (the phase error of 1.1 ulp times 2 pi,
        plus 2 of the function); 18 for 2 cos a, hence 19 per step with its rounding. The recurrence amplifies each
        error by at most the number of steps that follow (Chebyshev: |U_n| <= n + 1). After 127 steps:
        127 * 9 + 126 * 9 + 19 * 127 * 126 / 2 < 2^18.
        """
        bits, scale, twice = self._bits, self._scale, self._twice_cosine
        value = self._cosine(element, bits, self._step) * scale
        following = self._cosine(element + 1, bits, self._step) * scale
        half = 1 << bits - 1
        error = scale << 18
        below, above = half - error, half + error
        byte = 0
        for j in range(count):
            magnitude = -value if value < 0 else value
            rounded = magnitude + below >> bits
            if rounded != magnitude + above >> bits:
                rounded = self._bit(element + j)
            byte = byte << 1 | rounded & 1
            if j & 7 == 7:
                out[position + j >> 3] = byte
                byte = 0
            value, following = following, (twice * following >> bits) - value
        if count & 7:
            out[position + count >> 3] = byte << (8 - (count & 7))

    def _phase(self, multiple: int, bits: int, step: int) -> int:
        """Return the phase of `multiple` steps with `bits` fractional bits and an error below 1.1 ulp."""
        return step * multiple >> self._phase_guard & (1 << bits) - 1

    def _cosine(self, multiple: int, bits: int, step: int) -> int:
        """Return the cosine of `multiple` steps with `bits` fractional bits and an error below 9 ulp.

        `step` has _phase_guard more bits.
        """
        return cosine(self._phase(multiple, bits, step), bits)

    def _bit(self, element: int) -> int:
        """Return one bit by Ziv's method: double the precision until no doubt is left.

        The loop ends unless the cosine lies exactly on a rounding boundary. The cosine of element 0 is 1, which is not
        a boundary. No later element is known to have a rational cosine.
        """
        bits = self._bits
        while True:
            bits *= 2
            step = self._generator.phase_step(self.index, bits + self._phase_guard)
            y3 = digit(self._cosine(element**self._power, bits, step), bits, self._scale, 9)
            if y3 >= 0:
                return parity(y3)
