# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of binomial tails against exact integers."""

import math

import mpmath
import numpy as np
import pytest

from ndks_laboratory.homologation.statistics.result import most_unlikely
from ndks_laboratory.homologation.statistics.tails import two_sided, upper_tail


def exact_tail(count: int, size: int, chance_inverse: int) -> float:
    """Return log10 P(X >= count), X ~ Bin(size, 1 / chance_inverse), by integers."""
    ways = sum(math.comb(size, k) * (chance_inverse - 1) ** (size - k) for k in range(count, size + 1))
    return float(mpmath.log10(ways) - size * mpmath.log10(chance_inverse))


@pytest.mark.parametrize("inverse", [2, 256])
@pytest.mark.parametrize("size", [1, 2, 17, 64, 400])
def test_upper_tail_is_exact(size: int, inverse: int) -> None:
    counts = np.arange(size + 1)
    tails = upper_tail(counts, size, 1 / inverse)
    expected = [exact_tail(int(count), size, inverse) for count in counts]
    exact = np.array(expected) > -280
    assert tails[exact] == pytest.approx(np.array(expected)[exact], abs=1e-9)
    far = ~exact
    assert (tails[far] >= np.array(expected)[far] - 1e-9).all()
    assert (tails[far] <= np.array(expected)[far] + 5e-4).all()


@pytest.mark.parametrize("size", [1 << 20, 1 << 24])
@pytest.mark.parametrize("sigmas", [5, 20, 34, 37, 60, 300])
def test_tails_of_long_keys(size: int, sigmas: int) -> None:
    count = size // 2 + sigmas * math.isqrt(size) // 2
    ratios = np.cumprod([(size - k) / (k + 1) for k in range(count, count + 60_000 // sigmas)])
    with mpmath.workdps(30):
        term = mpmath.loggamma(size + 1) - mpmath.loggamma(count + 1) - mpmath.loggamma(size - count + 1)
        expected = float((term - size * mpmath.log(2) + mpmath.log(1 + ratios.sum())) / mpmath.log(10))
    found = float(upper_tail(count, size, 0.5)[0])
    assert expected - 1e-6 <= found <= expected + 5e-4


def test_two_sided_is_symmetric_and_at_most_one() -> None:
    counts = np.arange(0, 1001)
    logs = two_sided(counts, 1000)
    assert logs == pytest.approx(logs[::-1])
    assert logs[500] == 0.0
    assert (np.diff(logs[:501]) >= 0).all()


def test_a_skewed_tail_counts_on_its_own_side() -> None:
    few, many = two_sided([0, 60], 5000, 1 / 256)
    assert few == pytest.approx(math.log10(2) + 5000 * math.log10(255 / 256))
    assert many == pytest.approx(math.log10(2) + exact_tail(60, 5000, 256))


def test_most_unlikely_finds_the_smallest_of_all() -> None:
    rng = np.random.default_rng(1)
    sizes = np.arange(3000, 0, -1)
    sums = 2 * rng.binomial(sizes, 0.5) - sizes
    at, log10_p, ones = most_unlikely(sums, sizes)
    every = two_sided((sizes - sums) // 2, sizes)
    assert log10_p == every.min() == every[at]
    assert ones == (sizes[at] - sums[at]) // 2
