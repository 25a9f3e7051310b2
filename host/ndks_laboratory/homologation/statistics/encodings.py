# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One symbol, over and over: what an eavesdropper sees of it (the paper's claim: another encoding each time)."""

from dataclasses import dataclass

import numpy as np

from ..attack import Bits
from .result import SingleTest, Statistic, corrected
from .suite import all_statistics
from .tails import two_sided

_VALUES = 256


@dataclass(frozen=True)
class Encodings:
    """How the ciphertext bytes of one repeated symbol are spread."""

    symbols: int
    distinct: int  # encodings seen, of 256
    expected_distinct: float  # of as many random bytes
    statistics: tuple[Statistic, ...]
    log10_p: float  # over all of them

    @property
    def p_value(self) -> float:
        """0.0 where a float cannot hold it."""
        return 10.0**self.log10_p


def symbol_encodings(ciphertext: bytes, symbol: int) -> Encodings:
    """Test whether encodings of a symbol are uniform and independent, so neither repeat nor follow a pattern.

    Uniform: bytes with each value are Bin(symbols, 1/256), exactly. Independent: ciphertext XOR symbol is fair bits
    if and only if the ciphertext is; all statistics of bits are made of it (a period of t symbols is a lag of 8 t).
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
