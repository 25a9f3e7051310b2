# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Counting tests: ones, runs, masks of neighbouring elements, the longest run, repeated words."""

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..attack import Bits
from .result import SingleTest, Statistic, corrected, fair_count, most_unlikely, sigmas_of

WINDOW = 16  # elements spanned by a mask of `serial`, at most
WORD = 64  # elements in a word of `repeated_words`

_PART = 1 << 20  # windows at once
_LOG2 = math.log10(2)


def monobit(bits: Bits) -> Statistic:
    """Count ones: Bin(n, 1/2)."""
    return fair_count("monobit", int(np.count_nonzero(bits)), len(bits))


def runs(bits: Bits) -> Statistic:
    """Count elements that differ from the one before, one less than the runs: Bin(n - 1, 1/2)."""
    return fair_count("runs", int(np.count_nonzero(bits[1:] != bits[:-1])), len(bits) - 1)


def longest_run(bits: Bits) -> Statistic:
    """Find the longest run, of r elements; its p-value is the union bound over its start.

    A run from element 0 has probability 2^(1 - r), from each of n - r others 2^-r, because the element before differs.
    """
    n = len(bits)
    changes = np.flatnonzero(bits[1:] != bits[:-1]) + 1
    starts = np.concatenate(([0], changes))
    lengths = np.diff(starts, append=n)
    longest = int(np.argmax(lengths))
    length = int(lengths[longest])
    log10_p = min(0.0, math.log10(2 + n - length) - length * _LOG2)
    return Statistic("longest run", 1, log10_p, SingleTest(f"element {starts[longest]}", length, n))


def serial(bits: Bits, window: int = WINDOW) -> Statistic:
    """Count odd parities of the elements i + j, j in S, for every subset S of 0 .. window - 1 with 0 in it.

    Of the parities at i and later, only the one at i contains element i. So for each S they are independent and fair,
    and their number is Bin(n - window + 1, 1/2). One Walsh-Hadamard transform of the histogram of windows, which the
    serial test also uses, gives all 2^(window - 1) counts.
    """
    window = min(window, len(bits))
    size = len(bits) - window + 1
    sums = _walsh_hadamard(_window_histogram(bits, window))[1::2]
    worst, log10_p, ones = most_unlikely(sums, size)
    mask = 2 * worst + 1
    where = "elements i + " + ", ".join(str(j) for j in range(window) if mask >> j & 1)
    test = SingleTest(where, ones, size, sigmas_of(ones, size))
    return Statistic("serial", len(sums), corrected(log10_p, len(sums)), test)


def repeated_words(bits: Bits, word: int = WORD) -> Statistic:
    """Count aligned words (8, 16, 32 or 64 elements) that have occurred before: r of m words.

    Word i, counting from 0, equals an earlier word with probability at most i 2^-w. The sum over all sets of r words is
    e_r(0, 1, ..., m - 1) 2^(-w r) <= b^r / r! with b = m (m - 1) / 2^(w + 1).
    """
    count = len(bits) // word
    words = np.packbits(bits[: count * word]).view(f"u{word // 8}")
    _, first = np.unique(words, return_index=True)
    repeated = count - len(first)
    if not repeated:
        return Statistic("repeated words", 1, 0.0, SingleTest("", 0, count))
    log10_bound = math.log10(count * (count - 1)) - (word + 1) * _LOG2
    log10_p = min(0.0, repeated * log10_bound - math.lgamma(repeated + 1) / math.log(10))
    again = int(np.setdiff1d(np.arange(count), first, assume_unique=True)[0])
    return Statistic("repeated words", 1, log10_p, SingleTest(f"element {again * word}", repeated, count))


def _window_histogram(bits: Bits, window: int) -> npt.NDArray[np.int64]:
    """Return the number of occurrences of each window, whose first element is the lowest bit of its index."""
    histogram = np.zeros(1 << window, dtype=np.int64)
    size = len(bits) - window + 1
    for first, last in pairwise([*range(0, size, _PART), size]):
        numbers = np.zeros(last - first, dtype=np.uint32)
        for j in range(window):
            numbers |= bits[first + j : last + j].astype(np.uint32) << np.uint32(j)
        histogram += np.bincount(numbers, minlength=1 << window)
    return histogram


def _walsh_hadamard(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return, for each set S of bits, the sum of values[w] (-1)^|w & S|."""
    size, half = len(values), 1
    while half < size:
        pairs = values.reshape(-1, 2, half)
        values = np.stack((pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]), axis=1).reshape(size)
        half *= 2
    return values
