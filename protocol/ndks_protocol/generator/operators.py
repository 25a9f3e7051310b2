# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The operators f1 to f4 of the key generator: equations 2 to 6 of the paper (PROTOCOL.md section 2).

    y1 = f1(k; p1, p2)     y2 = f2(e; y1)     y3 = f3(y2; d)     y4 = f4(y3)

A parameter is (numerator, denominator).
"""

from ..turns import bits_above, phase_of
from .fixed_point import sine


def sinusoid(p1: tuple[int, int], p2: tuple[int, int], k: int, bits: int) -> int:
    """f1: y1 = p2 sin(p1 k). Return frac(y1 / 2 pi) with `bits` fractional bits and an error below 2 ulp.

    The sine is computed with bits + bits_above(p2) + 8 bits: its error of 9 inner ulp is below 2^-4 ulp of the result.
    """
    inner = bits + bits_above(p2) + 8
    y1 = p2[0] * sine(phase_of(p1[0] * k, p1[1], inner), inner)
    return phase_of(y1, p2[1] << inner, bits)


def digit(y2: int, bits: int, scale: int, error: int) -> int:
    """f3: return y3 = last digit of round(10^d |y2|), where scale = 10^d, or -1 if y2 is not precise enough.

    y2 has `bits` fractional bits and an error below `error` ulp.
    """
    scaled = abs(y2) * scale + (1 << bits - 1)
    error *= scale
    rounded = scaled - error >> bits
    return rounded % 10 if rounded == scaled + error >> bits else -1


def parity(y3: int) -> int:
    """f4: return y4 = y3 mod 2."""
    return y3 & 1
