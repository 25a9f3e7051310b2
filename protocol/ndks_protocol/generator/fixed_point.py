# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""pi, sine and cosine in fixed-point integers of any precision, with proven error bounds.

A number x with `bits` fractional bits is the integer x * 2^bits; one ulp is 2^-bits. Angles are phases, in turns.
"""

_GUARD = 24  # each function works with this many bits more than it returns; enough for 2^19 bits, see `_taylor`

_pi_cache = (0, 3)  # (bits, floor(pi * 2^bits)) of the most precise value so far


def bit_length(number: int) -> int:
    """Return how many bits a positive integer has; not every Python has int.bit_length."""
    return len(bin(number)) - 2


def pi(bits: int) -> int:
    """Return pi with `bits` fractional bits, less than 2 ulp off (Machin: pi = 16 atan(1/5) - 4 atan(1/239))."""
    global _pi_cache
    if _pi_cache[0] < bits:
        work = bits + _GUARD
        _pi_cache = (bits, (16 * _arctan_of_inverse(5, work) - 4 * _arctan_of_inverse(239, work)) >> _GUARD)
    return _pi_cache[1] >> _pi_cache[0] - bits


def _arctan_of_inverse(x: int, bits: int) -> int:
    # Each of the fewer than bits / 4 terms is less than 2 ulp off.
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
    """Return numerator / denominator / 2 pi with `bits` fractional bits, less than 1.1 ulp off."""
    work = bits + bit_length(abs(numerator) // denominator + 1) + 8
    return (numerator << bits + work - 1) // (denominator * pi(work))


def phase_of(numerator: int, denominator: int, bits: int) -> int:
    """Return the phase of an angle, frac(numerator / denominator / 2 pi), with the same bits and error."""
    return in_turns(numerator, denominator, bits) & (1 << bits) - 1


def cosine(phase: int, bits: int) -> int:
    """Return cos(2 pi phase) for a phase of `bits` fractional bits, less than 2 ulp off."""
    turn = 1 << bits
    phase &= turn - 1
    if 2 * phase > turn:
        phase = turn - phase
    negative = 4 * phase > turn
    if negative:
        phase = (turn >> 1) - phase
    # Now the phase is within a quarter turn; what lies beyond an eighth is a sine of the rest.
    value = _taylor((turn >> 2) - phase, bits, 1) if 8 * phase > turn else _taylor(phase, bits, 0)
    return -value if negative else value


def sine(phase: int, bits: int) -> int:
    """Return sin(2 pi phase) for a phase of `bits` fractional bits, less than 2 ulp off."""
    return cosine(phase - (1 << bits - 2), bits)


def _taylor(phase: int, bits: int, n: int) -> int:
    """Sum the Taylor series of cosine (n = 0) or sine (n = 1) at a phase of at most an eighth of a turn.

    x < 0.79 and x^2 / (n (n + 1)) < 0.32, so a term is less than 3 working ulp off; there are fewer terms than working
    bits, which makes less than 2^-2 ulp of the result up to 2^19 bits.
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
