# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What an eavesdropper can count: how even the bytes of a record are."""

import math
from collections import Counter

_CELLS = 256
_SIGMAS = 7  # one record in 10^11 of random bytes would be called uneven


def entropy(data: bytes) -> float:
    """Return the empirical (plug-in) entropy in bits a byte. Of n random bytes it is about 8 - 184 / n."""
    return -sum(count / len(data) * math.log2(count / len(data)) for count in Counter(data).values())


def looks_random(data: bytes) -> bool:
    """Whether the bytes are as even as random ones, by a G-test.

    G = 2 n ln 2 (8 - entropy) has nearly a chi-square distribution with 255 degrees of freedom, of variance 510.
    """
    freedom = _CELLS - 1
    g = 2 * len(data) * math.log(2) * (8 - entropy(data))
    return g < freedom + _SIGMAS * math.sqrt(2 * freedom)
