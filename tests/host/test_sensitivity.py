# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Sensitivity to the smallest change of a parameter: the paper's "very high sensitivity", and where it begins.

A change of p1 by t changes y1 = p2 sin(p1 k) by s = t k p2 cos(p1 k), the phase of element e by e s, and
v = 10^d |cos| by about 10^d e s |sin(e y1)|, whose mean is 10^d e s 2 / pi. While this is less than 1, it is the
probability that a digit changes, and its parity with it. Where it is much greater than 1, half of the bits differ. The
deviation from one half fades as 1 / sqrt(e), because |sin| is often nearly 1.

A change in the last of 40 decimals therefore shows from element e = pi / (2 10^d s) on: far beyond the end of a key
for small k and d, early for large ones.
"""

import mpmath
import numpy as np
import pytest

from ndks.keys.generator import MAX_ELEMENTS, VectorGenerator

P1 = "0.5200000000000000000000000000000000000000"  # 40 decimals
NEXT_P1 = P1[:-1] + "1"
P2 = "25.0000000000000000000000000000000000000001"
COUNT = 200_000


def first_seen(digits: int, k: int) -> float:
    """Return the element from which on a change of every digit is expected."""
    with mpmath.workdps(80):
        step = mpmath.mpf(10) ** -40 * k * mpmath.mpf(P2) * abs(mpmath.cos(mpmath.mpf(P1) * k))
        return float(mpmath.pi / (2 * mpmath.mpf(10) ** digits * step))


def share_of_changed_bits(digits: int, k: int, first: int) -> float:
    keys = [b"".join(VectorGenerator(p1, P2, digits).key(k).blocks(first, COUNT)) for p1 in (P1, NEXT_P1)]
    first_bits, second_bits = (np.unpackbits(np.frombuffer(key, np.uint8))[:COUNT] for key in keys)
    return float(np.count_nonzero(first_bits != second_bits)) / COUNT


@pytest.mark.parametrize(("digits", "k"), [(12, 1 << 63), (12, (1 << 64) - 1), (11, (1 << 64) - 12345)])
def test_a_unit_in_the_last_of_40_decimals(digits: int, k: int) -> None:
    begins = first_seen(digits, k)
    assert 10 * COUNT < begins < MAX_ELEMENTS / 2000
    for part in (0.01, 0.05):
        # A few sigmas of a count of rare events; within the window the expectation grows by at most COUNT / first.
        expected = part * (1 + COUNT / (part * begins) / 2)
        assert share_of_changed_bits(digits, k, int(part * begins)) == pytest.approx(expected, abs=0.15 * part + 0.001)
    for times in (30, 300, 2000):
        changed = share_of_changed_bits(digits, k, int(times * begins))
        assert changed == pytest.approx(0.5, abs=0.4 / times**0.5 + 0.005)


def test_where_it_does_not_reach() -> None:
    """With the paper's d and a small index, the 40th decimal does not change any possible key."""
    assert first_seen(3, 1) > 10**15 * MAX_ELEMENTS
    assert share_of_changed_bits(3, 1, MAX_ELEMENTS - COUNT) == 0
