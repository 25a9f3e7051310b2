# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Autocorrelation at every lag.

Strategy: each block of 2^20 elements is transformed once; the correlations of blocks at equal distances are added as
transforms. A single transform of the whole key would need more memory and not be faster.
"""

import numpy as np
import numpy.typing as npt

from ..attack import Bits
from . import fourier
from .result import SingleTest, Statistic, corrected, most_unlikely, sigmas_of
from .tails import Floats

_BLOCK = 1 << 20
_OVERLAP = 64  # pairs left at the largest lag of long keys


def all_lags(bits: Bits) -> Statistic:
    """Count elements that differ from the one t before, for all t from 1 to n - 64 (n / 2 in short keys).

    No pair before (i, i + t) contains element i + t, so the pairs are independent and fair: Bin(n - t, 1/2).
    """
    n = len(bits)
    lags = n - min(_OVERLAP, n - n // 2)
    sums = _sums(bits)
    found: list[tuple[float, int, int]] = []
    for first in range(1, lags + 1, _BLOCK):
        last = min(first + _BLOCK, lags + 1)
        at, log10_p, differ = most_unlikely(sums[first:last], n - np.arange(first, last))
        found.append((log10_p, first + at, differ))
    log10_p, lag, differ = min(found)
    sigmas = -sigmas_of(differ, n - lag)
    return Statistic(
        "autocorrelation", lags, corrected(log10_p, lags), SingleTest(f"lag {lag}", differ, n - lag, sigmas)
    )


def autocorrelation(bits: Bits) -> Floats:
    """Return the autocorrelation at lags 0 to n - 1, in standard deviations of fair bits."""
    return _sums(bits) / np.sqrt(np.arange(len(bits), 0, -1))


def _sums(bits: Bits) -> npt.NDArray[np.int32]:
    """Return the number of equal pairs minus that of different pairs at each lag (n at lag 0)."""
    n = len(bits)
    block = min(_BLOCK, 1 << (n - 1).bit_length())
    transforms = np.empty((-(-n // block), block + 1), np.complex128)
    for i, transform in enumerate(transforms):
        transform[:] = fourier.forward(fourier.signs(bits[i * block : (i + 1) * block]), 2 * block)
    sums = np.zeros((len(transforms) + 1) * block, dtype=np.int32)
    for apart, total in enumerate(fourier.correlated(transforms)):
        lags = _whole_numbers(fourier.inverse(total, 2 * block))
        start = apart * block
        sums[start : start + block] += lags[:block]
        if apart:
            sums[start - block + 1 : start] += lags[block + 1 :]  # lags -(block - 1) to -1
    return sums[:n]


def _whole_numbers(values: fourier.Reals) -> npt.NDArray[np.int32]:
    whole = np.rint(values)
    values -= whole
    if np.abs(values).max() > 0.01:
        raise ArithmeticError("the FFT is not exact enough for this many bits")
    return whole.astype(np.int32)
