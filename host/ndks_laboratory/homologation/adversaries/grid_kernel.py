# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Compiled search over all p2 up to a limit for many p1, with numerically controlled oscillators and early rejection.

With h = 2^64 sin(p1 k) / pi, the phase of element e is p2 h e / 2^64 half turns; whole half turns vanish modulo 2^64.
"""

import math
from typing import Any

import numpy as np

from .compiled import compiled

# cos(pi v) = sum of these times v^(2 i), with an error of less than 2^-55 for |v| <= 1/2
_SERIES = tuple((-1.0) ** i * math.pi ** (2 * i) / math.factorial(2 * i) for i in range(11))


@compiled
def matches(steps: Any, bits: Any, scale: float, limit: int, found: Any) -> int:
    """Write the step number and p2 of each pair that gives the bits from element 1 on; return their number."""
    candidates = np.empty(limit, np.uint64)
    odd = np.empty(limit)
    many = 0
    for i in range(len(steps)):
        count = limit
        for j in range(limit):
            candidates[j] = np.uint64(j + 1)
        for e in range(len(bits)):
            _parities(candidates, count, steps[i] * np.uint64(e + 1), scale, odd)
            count = _keep(candidates, odd, count, float(bits[e]))
            if count == 0:
                break
        for j in range(count):
            if many < len(found):
                found[many, 0], found[many, 1] = i, np.int64(candidates[j])
                many += 1
    return many


@compiled
def _parities(candidates: Any, count: int, step: Any, scale: float, odd: Any) -> None:
    for j in range(count):
        v = float(np.int64(candidates[j] * step)) * 2.0**-64
        z = v * v
        cosine = _SERIES[10]
        cosine = cosine * z + _SERIES[9]
        cosine = cosine * z + _SERIES[8]
        cosine = cosine * z + _SERIES[7]
        cosine = cosine * z + _SERIES[6]
        cosine = cosine * z + _SERIES[5]
        cosine = cosine * z + _SERIES[4]
        cosine = cosine * z + _SERIES[3]
        cosine = cosine * z + _SERIES[2]
        cosine = cosine * z + _SERIES[1]
        cosine = cosine * z + _SERIES[0]
        n = np.rint(scale * cosine)
        odd[j] = n - 2 * np.floor(0.5 * n)


@compiled
def _keep(candidates: Any, odd: Any, count: int, bit: float) -> int:
    kept = 0
    for j in range(count):
        candidates[kept] = candidates[j]
        kept += odd[j] == bit
    return kept
