# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""pi, sine and cosine in fixed-point integers of any precision, with proven error bounds.

A number x with `bits` fractional bits is the integer x * 2^bits; one ulp is 2^-bits. Angles are phases in turns.
"""

_GUARD = 24  # guard bits of each function; enough for results of 2^19 bits, see `_taylor`

_pi_cache = (0, 3)  # (bits, floor(pi * 2^bits)) of the most precise value so far


def bit_length(number: int) -> int:
    """Return the bit length of a positive integer; MicroPython may lack int.bit_length."""
    return len(bin(number)) - 2


def pi(bits: int) -> int:
    """Return pi with an error below 2 ulp (Machin: pi = 16 atan(1/5) - 4 atan(1/239))."""
    global _pi_cache
    if _pi_cache[0] < bits:
        work = bits + _GUARD
        _pi_cache = (bits, (16 * _arctan_of_inverse(5, work) - 4 * _arctan_of_inverse(239, work)) >> _GUARD)
    return _pi_cache[1] >> _pi_cache[0] - bits


def _arctan_of_inverse(x: int, bits: int) -> int:
    # The sum has fewer than bits / 4 terms, each with an error below 2 ulp.
    power = (1 << bits) // x
    square = x * x
    total = 0
    n = 1
    while power:
        total += -(power // n) if n & 2 else power // n
        power //= square
        n += 2
    return total


def in_turns(numerator: int, denominator: int, bits: int) -> int:
    """Return numerator / denominator / 2 pi with `bits` fractional bits and an error below 1.1 ulp."""
    work = bits + bit_length(abs(numerator) // denominator + 1) + 8
    return (numerator << bits + work - 1) // (denominator * pi(work))


def phase_of(numerator: int, denominator: int, bits: int) -> int:
    """Return the phase frac(numerator / denominator / 2 pi) with the precision of `in_turns`."""
    return in_turns(numerator, denominator, bits) & (1 << bits) - 1


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
