# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of key bits against fair independent bits, with p-values that are exact or proven upper bounds.

Null hypothesis: n independent fair bits. Nothing here is asymptotic: p-values hold for every n, and far in the tail.

Many of these tests count ones among y[0], y[1] ..., each the XOR of a set of elements, and each y[i] has an element
that none of those before it has (or none of those after it). Then, given those, y[i] is fair: the y are again
independent fair bits, and their count is exactly Bin(n, 1/2), no less when elements overlap.

Each statistic takes the best of many such tests and is corrected for their number (Bonferroni: P(min p <= u / m) <= u
for any dependence between the m of them).
"""

from .attributes import longest_run, monobit, repeated_words, runs, serial
from .correlation import all_lags, autocorrelation
from .encodings import Encodings, symbol_encodings
from .result import Statistic, hamming
from .spectral import frequencies, spectrum
from .suite import NAMES, all_statistics

__all__ = [
    "NAMES",
    "Encodings",
    "Statistic",
    "all_lags",
    "all_statistics",
    "autocorrelation",
    "frequencies",
    "hamming",
    "longest_run",
    "monobit",
    "repeated_words",
    "runs",
    "serial",
    "spectrum",
    "symbol_encodings",
]
