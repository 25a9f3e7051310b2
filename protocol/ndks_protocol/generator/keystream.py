# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Bits of keys by equation 7 of the paper, exact as real numbers (PROTOCOL.md section 2).

    y1 = p2 sin(p1 k)     y2 = cos(y1 e)     y3 = last digit of round(10^d |y2|)     y4 = y3 mod 2 = bit e of key k

Strategy: the phase of element e is frac(e y1 / 2 pi), an integer of w + 45 bits that is exact enough for every e up to
2^40. Inside a block cosines follow from one another by cos((j+1) a) = 2 cos a cos(j a) - cos((j-1) a). A bit is taken
only when the error bound leaves no doubt; else that element is computed again with more bits (Ziv's method).
"""

from .decimals import parse_decimal
from .fixed_point import bit_length, cosine, pi, sine

MAX_DIGITS = 12
MAX_INDEX = 1 << 64
MAX_ELEMENTS = 1 << 40

_BLOCK = 128  # elements between exact restarts of the recurrence
_GUARD = 50  # fractional bits beyond those of 10^d: one element in 2^31 is left in doubt by the recurrence
_PHASE_GUARD = 45  # the phase step is multiplied by up to 2^40


class Generator:
    """Eq. 7 with its parameters: p1 and p2 (decimal texts), d (1 to 12). ValueError when they are out of range."""

    def __init__(self, p1: str, p2: str, digits: int):
        if not 1 <= digits <= MAX_DIGITS:
            raise ValueError("d lies between 1 and 12")
        self.digits = digits
        self._p1 = parse_decimal(p1)
        self._p2 = parse_decimal(p2)

    def key(self, index: int) -> "Keystream":
        """Return the bits of key `index` (1 to 2^64)."""
        return Keystream(self, index)

    def phase_step(self, index: int, bits: int) -> int:
        """Return frac(y1 / 2 pi) of a key with `bits` fractional bits, less than 2 ulp off.

        With m bits in |p2|, the phase of the sine gets bits + m + 8: its error of 9 ulp there is below 2^-4 ulp here.
        """
        numerator, denominator = self._p2
        inner = bits + bit_length(abs(numerator) // denominator + 1) + 8
        psi = _in_turns(self._p1[0] * index, self._p1[1], inner)
        y1 = numerator * sine(psi, inner)
        return _in_turns(y1, denominator << inner, bits)


def _in_turns(numerator: int, denominator: int, bits: int) -> int:
    """Return frac(numerator / denominator / 2 pi) with `bits` fractional bits, less than 1.1 ulp off."""
    work = bits + bit_length(abs(numerator) // denominator + 1) + 8
    return (numerator << bits + work - 1) // (denominator * pi(work)) & (1 << bits) - 1


class Keystream:
    """The bits of one key, from any element on; made by `Generator.key`."""

    def __init__(self, generator: Generator, index: int):
        if not 1 <= index <= MAX_INDEX:
            raise ValueError("a key index lies between 1 and 2^64")
        self.index = index
        self._generator = generator
        self._scale = 10**generator.digits
        self._bits = _GUARD + bit_length(self._scale)
        self._step = generator.phase_step(index, self._bits + _PHASE_GUARD)
        # 2 cos a; never beyond 2, where the recurrence would grow exponentially.
        twice = 2 * self._cosine(1, self._bits, self._step)
        self._twice_cosine = max(-2 << self._bits, min(twice, 2 << self._bits))

    def read(self, first: int, count: int) -> bytearray:
        """Return `count` elements from `first` on, most significant bit first, the last byte filled up with zeros."""
        if first < 0 or count < 0 or first + count > MAX_ELEMENTS:
            raise ValueError("an element index lies between 0 and 2^40 - 1")
        out = bytearray((count + 7) // 8)
        for start in range(0, count, _BLOCK):
            self._fill(out, start, min(_BLOCK, count - start), first + start)
        return out

    def _fill(self, out: bytearray, position: int, count: int, element: int) -> None:
        """Write `count` bits from `element` on to bit `position`, a multiple of 8, of `out`.

        Error bound, in units of 10^d ulp: both first cosines 9 (a phase 1.1 ulp off times 2 pi, and 2 of the function);
        2 cos a 18, hence 19 a step with its rounding, which the recurrence amplifies by at most the number of steps
        that follow (Chebyshev: |U_n| <= n + 1). After 127 steps: 127 * 9 + 126 * 9 + 19 * 127 * 126 / 2 < 2^18.
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

    def _cosine(self, element: int, bits: int, step: int) -> int:
        """Return y2 with `bits` fractional bits, less than 9 ulp off; `step` has _PHASE_GUARD bits more."""
        phase = step * element >> _PHASE_GUARD & (1 << bits) - 1
        return cosine(phase, bits)

    def _bit(self, element: int) -> int:
        """Return one bit by Ziv's method: twice the bits until no doubt is left.

        It ends: a cosine of element 0 is 1, no boundary; one of a later element is not known to be ever rational.
        """
        bits = self._bits
        while True:
            bits *= 2
            step = self._generator.phase_step(self.index, bits + _PHASE_GUARD)
            magnitude = abs(self._cosine(element, bits, step)) * self._scale
            error = 9 * self._scale
            half = 1 << bits - 1
            rounded = magnitude + half - error >> bits
            if rounded == magnitude + half + error >> bits:
                return rounded & 1
