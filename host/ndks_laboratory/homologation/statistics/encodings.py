# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Encodings of one repeated symbol, which the paper claims to differ each time."""

from dataclasses import dataclass

import numpy as np

from ..attack import Bits
from .result import SingleTest, Statistic, corrected
from .suite import all_statistics
from .tails import two_sided

_VALUES = 256


@dataclass(frozen=True)
class Encodings:
    """The distribution of the ciphertext bytes of one repeated symbol."""

    symbols: int
    distinct: int  # number of different encodings, of 256
    expected_distinct: float  # for as many random bytes
    statistics: tuple[Statistic, ...]
    log10_p: float  # over all statistics

    @property
    def p_value(self) -> float:
        """The p-value, 0.0 if it is below the range of floats."""
        return 10.0**self.log10_p


def symbol_encodings(ciphertext: bytes, symbol: int) -> Encodings:
    """Test whether the encodings of a symbol are uniform and independent.

    Uniform: the number of bytes of each value is exactly Bin(symbols, 1/256). Independent: ciphertext XOR symbol
    consists of fair bits if and only if the ciphertext does, so all statistics of bits apply to it (a period of t
    symbols is a lag of 8 t).
    """
    values = np.frombuffer(ciphertext, dtype=np.uint8)
    bits: Bits = np.unpackbits(values ^ np.uint8(symbol))
    counts = np.bincount(values, minlength=_VALUES)
    results = (_byte_values(counts, len(values)), *all_statistics(bits))
    smallest = min(statistic.log10_p for statistic in results)
    expected = _VALUES * (1 - (1 - 1 / _VALUES) ** len(values))
    return Encodings(len(values), int(np.count_nonzero(counts)), expected, results, corrected(smallest, len(results)))


def _byte_values(counts: np.ndarray[tuple[int], np.dtype[np.int64]], size: int) -> Statistic:
    logs = two_sided(counts, size, 1 / _VALUES)
    worst = int(np.argmin(logs))
    count = int(counts[worst])
    sigmas = (count - size / _VALUES) / (size / _VALUES * (1 - 1 / _VALUES)) ** 0.5
    test = SingleTest(f"byte {worst:02x}", count, size, sigmas)
    return Statistic("byte values", _VALUES, corrected(float(logs[worst]), _VALUES), test)
