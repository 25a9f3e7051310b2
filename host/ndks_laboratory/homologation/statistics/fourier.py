# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Typed wrappers of SciPy's real FFT, which needs half the memory of NumPy's in single precision."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft  # pyright: ignore[reportMissingTypeStubs]

_COLUMNS = 1 << 10  # at once, to bound memory

Reals = npt.NDArray[np.floating[Any]]
Complexes = npt.NDArray[np.complexfloating[Any, Any]]


def forward(signal: Reals, size: int | None = None) -> Complexes:
    """Return the transform at frequencies 0 to size / 2, in the precision of the signal."""
    return np.asarray(fft.rfft(signal, size))  # pyright: ignore


def inverse(transform: Complexes, size: int) -> Reals:
    """Return the real signal of `size` values."""
    return np.asarray(fft.irfft(transform, size))  # pyright: ignore


def correlated(rows: Complexes) -> Complexes:
    """Return, for each distance d, the sum over i of rows[i + d] times the conjugate of rows[i]; overwrites `rows`."""
    count = len(rows)
    for start in range(0, rows.shape[1], _COLUMNS):
        part = rows[:, start : start + _COLUMNS]
        across: Complexes = np.asarray(fft.fft(part, 2 * count, axis=0))  # pyright: ignore
        power = np.square(across.real) + np.square(across.imag)
        part[:] = np.asarray(fft.ifft(power, axis=0))[:count]  # pyright: ignore
    return rows


def signs(bits: npt.NDArray[np.uint8], dtype: npt.DTypeLike = np.float64) -> Reals:
    """Map bits 0 and 1 to +1 and -1."""
    signal: Reals = bits.astype(dtype)
    signal *= -2
    signal += 1
    return signal
