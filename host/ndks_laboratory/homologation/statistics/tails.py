# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tails of binomial distributions as log10, even below the range of floats."""

import math

import numpy as np
import numpy.typing as npt
from scipy import special  # pyright: ignore[reportMissingTypeStubs]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_LOG2 = math.log10(2)
_SAFE = 1e-280  # SciPy's tails underflow soon below this


def upper_tail(counts: npt.ArrayLike, sizes: npt.ArrayLike, chance: float) -> Floats:
    """Return log10 P(X >= count), X ~ Bin(size, chance), for each pair, as a vector.

    Below 1e-280 it is an upper bound, a geometric series with the ratio of the first two terms of the tail. At such a
    distance, above 35 sigma, it is less than 0.1 % too large.
    """
    k, n = np.broadcast_arrays(np.atleast_1d(counts).astype(np.float64), np.asarray(sizes, dtype=np.float64))
    tail = np.where(k > 0, _beta(np.maximum(k, 1), n - np.maximum(k, 1) + 1, chance), 1.0)
    result = np.log10(np.maximum(tail, _SAFE))
    for i in np.flatnonzero(tail < _SAFE):
        result[i] = _far_tail(int(k[i]), int(n[i]), chance)
    return result


def two_sided(counts: npt.ArrayLike, sizes: npt.ArrayLike, chance: float = 0.5) -> Floats:
    """Return log10 of twice the smaller tail, at most 0, as a vector: P(p-value <= u) <= u for every u."""
    k, n = np.asarray(counts), np.asarray(sizes)
    smaller = np.minimum(upper_tail(k, n, chance), upper_tail(n - k, n, 1 - chance))
    return np.minimum(_LOG2 + smaller, 0.0)


def _far_tail(count: int, size: int, chance: float) -> float:
    log_term = math.lgamma(size + 1) - math.lgamma(count + 1) - math.lgamma(size - count + 1)
    log_term += count * math.log(chance) + (size - count) * math.log1p(-chance)
    ratio = (size - count) / (count + 1) * chance / (1 - chance)
    return (log_term - math.log1p(-ratio)) / math.log(10)


def _beta(a: Floats, b: Floats, x: float) -> Floats:
    # P(X >= k) = I_chance(k, n - k + 1), the regularised incomplete beta function (DLMF 8.17.5)
    clipped = np.maximum(b, 1e-9)  # for k > n, where the result is unused
    return np.asarray(special.betainc(a, clipped, x), dtype=np.float64)  # pyright: ignore
