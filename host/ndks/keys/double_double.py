# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Double-double arrays: numbers of about 106 bits as pairs of doubles (Dekker, 1971; Knuth, section 4.2.2)."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

_SPLITTER = float(2**27 + 1)


class Pair(NamedTuple):
    """Numbers high + low, with |low| at most half an ulp of high."""

    high: Doubles
    low: Doubles


def from_fixed(value: int, bits: int) -> Pair:
    """Return value / 2^bits in arrays of one element; the error is less than 2^-106 for magnitudes up to 1."""
    high = value / (1 << bits)  # Python rounds the quotient of integers correctly
    numerator, denominator = high.as_integer_ratio()
    low = (value * denominator - (numerator << bits)) / (denominator << bits)
    return Pair(np.array([high]), np.array([low]))


def take(pair: Pair, index: Any) -> Pair:
    """Return the numbers at an index or slice."""
    return Pair(pair.high[index], pair.low[index])


def concatenate(first: Pair, second: Pair) -> Pair:
    """Return the two arrays as one."""
    return Pair(np.concatenate((first.high, second.high)), np.concatenate((first.low, second.low)))


def rotate(cosine: Pair, sine: Pair, by_cosine: Pair, by_sine: Pair) -> tuple[Pair, Pair]:
    """Return cosine and sine of the sum of two angles.

    A rotation does not enlarge the error of a point: the errors of both arguments add up. The arithmetic here adds less
    than 2^-101: in each coordinate, less than 2^-103 for each of two products and 2^-104 for their sum.
    """
    turned_sine = _add(_multiply(sine, by_cosine), _multiply(cosine, by_sine))
    return cosine_of_sum(cosine, sine, by_cosine, by_sine), turned_sine


def cosine_of_sum(cosine: Pair, sine: Pair, by_cosine: Pair, by_sine: Pair) -> Pair:
    """Return the cosine of the sum of two angles; see `rotate`."""
    return _subtract(_multiply(cosine, by_cosine), _multiply(sine, by_sine))


def scale(pair: Pair, factor: float) -> Pair:
    """Multiply by a double; the relative error is less than 2^-103."""
    high, low = _two_product(pair.high, np.float64(factor))
    return Pair(*_quick_two_sum(high, low + pair.low * factor))


def _multiply(first: Pair, second: Pair) -> Pair:
    """Multiply two arrays; omits the product of the low parts (2^-106), rounds three terms of 2^-52 (2^-105 each)."""
    high, low = _two_product(first.high, second.high)
    return Pair(*_quick_two_sum(high, low + (first.high * second.low + first.low * second.high)))


def _add(first: Pair, second: Pair) -> Pair:
    high, low = _two_sum(first.high, second.high)
    return Pair(*_two_sum(high, low + (first.low + second.low)))  # low may exceed high where the high parts cancel


def _subtract(first: Pair, second: Pair) -> Pair:
    return _add(first, Pair(-second.high, -second.low))


def _two_sum(first: Doubles, second: Doubles) -> tuple[Doubles, Doubles]:
    """Return the rounded sum and its exact rounding error."""
    total = first + second
    part = total - first
    return total, (first - (total - part)) + (second - part)


def _quick_two_sum(first: Doubles, second: Doubles) -> tuple[Doubles, Doubles]:
    """Return the same as `_two_sum`; requires |first| >= |second|."""
    total = first + second
    return total, second - (total - first)


def _two_product(first: Doubles, second: Any) -> tuple[Doubles, Doubles]:
    """Return the rounded product and its exact rounding error."""
    product = first * second
    first_high, first_low = _split(first)
    second_high, second_low = _split(second)
    error = ((first_high * second_high - product) + first_high * second_low + first_low * second_high) + (
        first_low * second_low
    )
    return product, error


def _split(number: Any) -> tuple[Any, Any]:
    """Split a double into two halves of 26 bits."""
    high = number * _SPLITTER
    high = high - (high - number)
    return high, number - high
