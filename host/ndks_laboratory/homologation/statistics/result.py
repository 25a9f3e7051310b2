# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Results of statistics, and their computation from counts of fair bits."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..attack import Bits
from .tails import Floats, Ints, two_sided

_CANDIDATES = 1000


@dataclass(frozen=True)
class SingleTest:
    """One test."""

    where: str  # lag, mask or frequency
    value: float  # count or measurement
    size: int  # of the sample
    sigmas: float | None = None  # distance from the mean in standard deviations; None where it has no meaning


@dataclass(frozen=True)
class Statistic:
    """The most unlikely of many tests of one kind."""

    name: str
    tests: int
    log10_p: float  # of the smallest p-value times the number of tests; at most 0
    worst: SingleTest

    @property
    def p_value(self) -> float:
        """The p-value, 0.0 if it is below the range of floats."""
        return 10.0**self.log10_p

    def row(self) -> dict[str, str | int | float | None]:
        """Return plain values, for a report."""
        return {
            "name": self.name,
            "tests": self.tests,
            "log10_p": round(self.log10_p, 3) + 0.0,  # never -0.0
            "where": self.worst.where,
            "sigmas": None if self.worst.sigmas is None else round(self.worst.sigmas, 3),
            "value": self.worst.value,
            "size": self.worst.size,
        }


def corrected(log10_p: float, tests: int) -> float:
    """Return log10 of min(1, tests p)."""
    return min(0.0, log10_p + math.log10(max(tests, 1)))


def fair_count(name: str, count: int, size: int, where: str = "") -> Statistic:
    """Return the statistic of a single count of `size` fair bits."""
    log10_p = float(two_sided(count, size)[0])
    return Statistic(name, 1, log10_p, SingleTest(where, count, size, sigmas_of(count, size)))


def sigmas_of(count: int, size: int) -> float:
    """Return (count - mean) / standard deviation of Bin(size, 1/2)."""
    return (2 * count - size) / math.sqrt(size) if size else 0.0


def most_unlikely(sums: npt.NDArray[np.signedinteger], sizes: Ints | int) -> tuple[int, float, int]:
    """Return index, log10 of the p-value and number of ones of the most unlikely sum of +1 (bit 0) and -1 (bit 1).

    Exact tails are computed only for deviations within 3 % of the largest. If the smallest p-value is elsewhere, which
    different sizes may cause, the returned one is too large, never too small.
    """
    deviation: Floats = np.abs(sums) / np.sqrt(np.asarray(sizes, dtype=np.float64))
    largest = int(np.argmax(deviation))
    near = np.flatnonzero(deviation >= 0.97 * deviation[largest])[:_CANDIDATES]
    candidates = np.append(near, largest)
    n = np.broadcast_to(np.asarray(sizes, dtype=np.int64), sums.shape)[candidates]
    ones = (n - sums[candidates]) // 2
    logs = two_sided(ones, n)
    best = int(np.argmin(logs))
    return int(candidates[best]), float(logs[best]), int(ones[best])


def hamming(a: Bits, b: Bits) -> Statistic:
    """Return the Hamming distance of two keys as a statistic, against independent keys."""
    return fair_count("Hamming distance", int(np.count_nonzero(a != b)), len(a))
