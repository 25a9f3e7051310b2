# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of key bits against fair independent bits, with p-values that are exact or proven upper bounds.

Null hypothesis: n independent fair bits. No p-value is asymptotic: each holds for every n, and far in the tail.

Many of these tests count ones among y[0], y[1] ..., each of which is the XOR of a set of elements. Each y[i] contains
an element that no earlier y contains (or no later one). Given these, y[i] is fair. So the y are independent fair bits,
and the number of ones is exactly Bin(n, 1/2), even if the sets overlap.

Each statistic takes the most unlikely of many such tests, corrected for their number (Bonferroni: P(min p <= u / m)
<= u for any dependence between the m tests).
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
