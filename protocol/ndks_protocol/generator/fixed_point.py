# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Sine and cosine in fixed-point integers of any precision, with proven error bounds.

Numbers and angles are those of `ndks_protocol.turns`.
"""

from ..turns import pi

_GUARD = 24  # guard bits of each function; enough for results of 2^19 bits, see `_taylor`


def cosine(phase: int, bits: int) -> int:
    """Return cos(2 pi phase) for a phase of `bits` fractional bits, with an error below 2 ulp."""
    turn = 1 << bits
    phase &= turn - 1
    if 2 * phase > turn:
        phase = turn - phase
    negative = 4 * phase > turn
    if negative:
        phase = (turn >> 1) - phase
    # The phase is now within a quarter turn. Beyond an eighth, use cos(x) = sin(pi / 2 - x).
    value = _taylor((turn >> 2) - phase, bits, 1) if 8 * phase > turn else _taylor(phase, bits, 0)
    return -value if negative else value


def sine(phase: int, bits: int) -> int:
    """Return sin(2 pi phase) for a phase of `bits` fractional bits, with an error below 2 ulp."""
    return cosine(phase - (1 << bits - 2), bits)


def _taylor(phase: int, bits: int, n: int) -> int:
    """Sum the Taylor series of cosine (n = 0) or sine (n = 1) at a phase of at most an eighth of a turn.

    x < 0.79 and x^2 / (n (n + 1)) < 0.32, so the error of a term is below 3 working ulp. There are fewer terms than
    working bits, so the error of the sum is below 2^-2 ulp of the result, for up to 2^19 bits.
    """
    work = bits + _GUARD
    x = phase * pi(work) >> bits - 1
    square = x * x >> work
    term = x if n else 1 << work
    total = term
    while term:
        term = (term * square >> work) // ((n + 1) * (n + 2))
        n += 2
        total += -term if n & 2 else term
    return total >> _GUARD
