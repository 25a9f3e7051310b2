# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Cosine and sine in fixed point, without division, by Taylor series with precomputed coefficients."""

from ndks_protocol.turns import pi

ERROR = 9  # bound on the error in ulp; see Circle


class Circle:
    """Cosine and sine of phases in turns. All numbers have `bits` fractional bits; one ulp is 2^-bits.

    Error bound: a phase is folded to an eighth of a turn, x = 2 pi phase <= 0.7854, with an error below 1.2 ulp (an
    eighth of the 1 ulp of pi, plus the shift). The error of x^2 < 0.617, for this x, is below 1 ulp. A step of Horner's
    rule, c - (r x^2 >> bits) with r <= 1/2, multiplies the previous error by 0.617 and adds 1 ulp for c, 1 for the
    shift and 1/2 for x^2. The error of the sum is therefore below 2.5 / (1 - 0.617) < 6.6 ulp. Truncating the series
    adds less than 1 ulp.
    Cosine: 6.6 + 1 + 1.2 sin(pi / 4) < 9 ulp. Sine: 0.7854 * 6.6 + 1 for the product + 1 + 1.2 < 9 ulp.
    """

    def __init__(self, bits: int):
        self.bits = bits
        self._turn = pi(bits) << 1
        self._cosine = _coefficients(bits, 0)
        self._sine = _coefficients(bits, 1)

    def cosine(self, phase: int) -> int:
        """Return cos(2 pi phase) for 0 <= phase < 1, with an error below ERROR ulp."""
        octant, x = self._fold(phase)
        bits = self.bits
        square = x * x >> bits
        crossed = (octant + 1) & 2
        value = self._horner(self._sine, square) * x >> bits if crossed else self._horner(self._cosine, square)
        return -value if 2 <= octant <= 5 else value

    def both(self, phase: int) -> tuple[int, int]:
        """Return (cos, sin) of 2 pi phase for 0 <= phase < 1, both with an error below ERROR ulp."""
        octant, x = self._fold(phase)
        bits = self.bits
        square = x * x >> bits
        cosine = self._horner(self._cosine, square)
        sine = self._horner(self._sine, square) * x >> bits
        if (octant + 1) & 2:
            cosine, sine = sine, cosine
        return (-cosine if 2 <= octant <= 5 else cosine), (-sine if octant >= 4 else sine)

    def _fold(self, phase: int) -> tuple[int, int]:
        """Return the octant of a phase and its distance from the nearest axis in radians."""
        eighth = self.bits - 3
        octant = phase >> eighth
        phase &= (1 << eighth) - 1
        if octant & 1:
            phase = (1 << eighth) - phase
        return octant, phase * self._turn >> self.bits

    def _horner(self, coefficients: list[int], square: int) -> int:
        bits = self.bits
        value = 0
        for coefficient in coefficients:
            value = coefficient - (value * square >> bits)
        return value


def _coefficients(bits: int, n: int) -> list[int]:
    """Return 1 / n!, 1 / (n + 2)!, ... in reverse order, up to the last n with (4/5)^n / n! >= 1 ulp."""
    found: list[int] = []
    value = 1 << bits
    while value << 2 * n >= 5**n:
        found.append(value)
        value //= (n + 1) * (n + 2)
        n += 2
    found.reverse()
    return found
