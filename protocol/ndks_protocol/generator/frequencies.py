# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The operators f1 beyond equation 7. A unit imports them only if its network uses one."""

from ..turns import bit_length, bits_above, phase_of
from .fixed_point import sine

_GUARD = 24


def polynomial(p1: tuple[int, int], p2: tuple[int, int], k: int, bits: int) -> int:
    """f1: y1 = p1 k + p2 k^2. Return frac(y1 / 2 pi) with `bits` fractional bits and an error below 1.1 ulp."""
    return phase_of(p1[0] * p2[1] * k + p2[0] * p1[1] * k * k, p1[1] * p2[1], bits)


def hyperbolic(p1: tuple[int, int], p2: tuple[int, int], k: int, bits: int) -> int:
    """f1: y1 = p2 sinh(p1 sin k). Return frac(y1 / 2 pi) with `bits` fractional bits and an error below 2 ulp.

    Let m > |p1| and 2^growth > cosh(p1 sin k). The error of sin k is 9 inner ulp, that of p1 sin k is at most
    9 m + 1 < 10 * 2^bit_length(m). sinh multiplies it by less than 2^growth and adds its own 2 ulp. With a precision
    of bits + bits_above(p2) + 8 for the result of sinh, the error of y1 is below 12 / 2^8 ulp.
    """
    m = abs(p1[0]) // p1[1] + 1
    growth = 3 * m // 2 + 1
    inner = bits + bits_above(p2) + 8 + growth + bit_length(m)
    x = p1[0] * sine(phase_of(k, 1, inner), inner) // p1[1]
    return phase_of(p2[0] * sinh(x, inner), p2[1] << inner, bits)


def sinh(x: int, bits: int) -> int:
    """Return sinh(x), both with `bits` fractional bits, with an error below 2 ulp.

    e^x is e^r squared h times, with r = x / 2^h < 2^-16. The Taylor series of e^r has fewer than work / 16 + 2 terms,
    each with an error below 3 working ulp. The relative error of e^r is therefore below work ulp, and that of e^x
    below work * 2^(h + 1). Since e^x < 2^(3 m / 2) for m > x, the error is below 2^-2 ulp of the result, for up to
    2^20 working bits. The same bound holds for e^-x.
    """
    if x < 0:
        return -sinh(-x, bits)
    m = (x >> bits) + 1
    h = bit_length(m) + 16
    work = bits + 3 * m // 2 + h + _GUARD
    r = x << work - bits >> h
    term = exponential = 1 << work
    n = 0
    while term:
        n += 1
        term = (term * r >> work) // n
        exponential += term
    for _ in range(h):
        exponential = exponential * exponential >> work
    return exponential - (1 << 2 * work) // exponential >> work - bits + 1


BY_NAME = {"polynomial": polynomial, "hyperbolic": hyperbolic}  # of F1
