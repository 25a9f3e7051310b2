# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The operators f1 that equation 7 has not. A unit loads them when its network has one of them."""

from .fixed_point import bit_length, phase_of, sine
from .operators import bits_above

MAX_HYPERBOLIC_P1 = 1000  # sinh grows like e^|p1|, and with it the bits that are needed

_GUARD = 24


def polynomial(p1: tuple[int, int], p2: tuple[int, int], k: int, bits: int) -> int:
    """f1: y1 = p1 k + p2 k^2, a rational number. Return as `sinusoid` does, less than 1.1 ulp off."""
    return phase_of(p1[0] * p2[1] * k + p2[0] * p1[1] * k * k, p1[1] * p2[1], bits)


def check_hyperbolic(p1: tuple[int, int]) -> None:
    """ValueError when p1 is too large for `hyperbolic`."""
    if abs(p1[0]) > MAX_HYPERBOLIC_P1 * p1[1]:
        raise ValueError("p1 of a hyperbolic f1 lies between -1000 and 1000")


def hyperbolic(p1: tuple[int, int], p2: tuple[int, int], k: int, bits: int) -> int:
    """f1: y1 = p2 sinh(p1 sin k). Return frac(y1 / 2 pi) with `bits` fractional bits, less than 2 ulp off.

    Let m > |p1|, and 2^growth > cosh. sin k is 9 ulp off, p1 sin k thus 9 m + 1 < 10 * 2^(bits of m), and that times
    2^growth are less than 10 of the ulp that bits + bits of p2 + 8 gives; with those of sinh, y1 is 12 / 2^8 ulp off.
    """
    m = abs(p1[0]) // p1[1] + 1
    growth = 3 * m // 2 + 1
    inner = bits + bits_above(p2) + 8 + growth + bit_length(m)
    x = p1[0] * sine(phase_of(k, 1, inner), inner) // p1[1]
    return phase_of(p2[0] * sinh(x, inner), p2[1] << inner, bits)


def sinh(x: int, bits: int) -> int:
    """Return sinh(x), both with `bits` fractional bits, less than 2 ulp off.

    e^x is e^r squared h times, r = x / 2^h < 2^-16. The Taylor series of e^r has fewer than work / 16 + 2 terms, each
    less than 3 working ulp off, hence e^r a relative error below work ulp, and e^x below work * 2^(h + 1). As e^x is
    below 2^(3 m / 2) for m > x, this makes less than 2^-2 ulp of the result up to 2^20 working bits; so does e^-x.
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
