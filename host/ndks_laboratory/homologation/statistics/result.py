# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a statistic says, and how it is made from counts of fair bits."""

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

    where: str  # its lag, mask or frequency
    value: float  # what was counted or measured
    size: int  # out of so many
    sigmas: float | None = None  # how far it is from its mean, in standard deviations; None where that means nothing


@dataclass(frozen=True)
class Statistic:
    """The most unlikely of many tests of one kind."""

    name: str
    tests: int
    log10_p: float  # of the smallest p-value times the number of tests; at most 0
    worst: SingleTest

    @property
    def p_value(self) -> float:
        """0.0 where a float cannot hold it."""
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
    """Return what a single count of `size` fair bits says."""
    log10_p = float(two_sided(count, size)[0])
    return Statistic(name, 1, log10_p, SingleTest(where, count, size, sigmas_of(count, size)))


def sigmas_of(count: int, size: int) -> float:
    """Return (count - mean) / standard deviation of Bin(size, 1/2)."""
    return (2 * count - size) / math.sqrt(size) if size else 0.0


def most_unlikely(sums: npt.NDArray[np.signedinteger], sizes: Ints | int) -> tuple[int, float, int]:
    """Return where the smallest p-value is, its log10, and the count of ones there, of sums of +1 (0) and -1 (1).

    Exact tails are computed only where the deviation in sigmas is within 3 % of the largest. Should the smallest
    p-value be elsewhere (sizes differ), then the one returned is too large, never too small.
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
    """Return in how many elements (`value` of `size`) two keys differ, and how unlikely that is of independent ones."""
    return fair_count("Hamming distance", int(np.count_nonzero(a != b)), len(a))
