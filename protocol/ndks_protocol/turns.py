# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""pi and quotients by 2 pi in fixed-point integers of any precision, with proven error bounds.

A number x with `bits` fractional bits is the integer x * 2^bits; one ulp is 2^-bits. Angles are phases in turns.
"""

_GUARD = 24  # guard bits; enough for results of 2^19 bits

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


def bits_above(decimal: tuple[int, int]) -> int:
    """Return n such that |decimal| < 2^n, for a decimal that is (numerator, denominator)."""
    return bit_length(abs(decimal[0]) // decimal[1] + 1)
