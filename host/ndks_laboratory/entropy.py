# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Empirical entropy of bytes, and a test of their uniformity."""

import math
from collections import Counter

_CELLS = 256
_SIGMAS = 8  # rejects one record of random bytes in 10^10


def entropy(data: bytes) -> float:
    """Return the empirical (plug-in) entropy in bits per byte; about 8 - 184 / n for n random bytes."""
    return -sum(count / len(data) * math.log2(count / len(data)) for count in Counter(data).values())


def looks_random(data: bytes) -> bool:
    """Return whether bytes pass a G-test of uniformity.

    G = 2 n ln 2 (8 - entropy) has approximately a chi-square distribution with 255 degrees of freedom and variance 510.
    """
    freedom = _CELLS - 1
    g = 2 * len(data) * math.log(2) * (8 - entropy(data))
    return g < freedom + _SIGMAS * math.sqrt(2 * freedom)
