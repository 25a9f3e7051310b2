# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Recurrence that gives p1 and p2 from y1 of the first five keys, each known modulo pi and up to its sign.

With y(k) = p2 sin(p1 k), y(k+1) + y(k-1) = 2 cos(p1) y(k). Each y(k) is one of the candidates +-w + pi m. y(1) and y(2)
determine the next three, which must be candidates as well. The keys do not depend on the common sign, so y(1) > 0.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

KEYS_NEEDED = 5
_SURE = 0.3  # largest useful error of an expected value, whose period is pi


class MeasuredFrequency(NamedTuple):
    """A frequency modulo pi, and its error bound."""

    w: float
    error: float


def parameters(
    keys: Sequence[MeasuredFrequency], limit: float, check_time: Callable[[], None]
) -> list[tuple[float, float, list[float]]]:
    """Return all p1, p2 and y1 of the keys that fit, for |y(1)| and |y(2)| up to a limit."""
    second = candidates(keys[1].w, limit)
    second = np.concatenate((-second, second))
    spread = 6 * (keys[0].error + keys[1].error) + keys[2].error
    found: list[tuple[float, float, list[float]]] = []
    for number, first in enumerate(candidates(keys[0].w, limit)):
        if number % 64 == 0:
            check_time()
        possible = second[np.abs(second) <= 2 * first]
        third = possible * possible / first - first
        for y2 in possible[_distance(third, keys[2].w) <= spread]:
            ys = _followed(keys, [float(first), float(y2)])
            if ys:
                p1 = math.acos((ys[0] + ys[2]) / (2 * ys[1]))
                found.append((p1, ys[0] / math.sin(p1), ys))
    return found


def candidates(w: float, limit: float) -> Doubles:
    """Return all positive values of +-w + pi m up to a limit, in ascending order."""
    turns = np.arange(math.ceil(limit / math.pi) + 1) * math.pi
    both = np.concatenate((turns + w, turns - w)).astype(np.float64)
    both.sort()
    return both[(both > 0) & (both <= limit)]


def nearest(w: float, expected: float) -> float:
    """Return the value of +-w + pi m nearest to `expected`."""
    both = [sign * w + math.pi * round((expected - sign * w) / math.pi) for sign in (1, -1)]
    return min(both, key=lambda y: abs(y - expected))


def _distance(y: Doubles, w: float) -> Doubles:
    """Return the distances of numbers from +-w modulo pi."""
    from_zero = np.abs(y - np.rint(y * (1 / math.pi)) * math.pi)
    return np.abs(from_zero - w)


def _followed(keys: Sequence[MeasuredFrequency], ys: list[float]) -> list[float] | None:
    """Return all y if the recurrence from the first two meets candidates within the error bounds, else None."""
    best, best_error = ys[1] / (2 * ys[0]), (keys[1].error + 2 * keys[0].error) / (2 * ys[0])  # cos(p1)
    for k in range(2, len(keys)):
        expected = 2 * best * ys[k - 1] - ys[k - 2]
        error = 2 * abs(ys[k - 1]) * best_error + 2 * keys[k - 1].error + keys[k - 2].error + keys[k].error + 1e-13
        y = nearest(keys[k].w, expected)
        if error > _SURE or abs(y - expected) > error:
            return None
        ys = [*ys, y]
        cosine = (y + ys[k - 2]) / (2 * ys[k - 1])
        cosine_error = (keys[k].error + keys[k - 2].error + 2 * keys[k - 1].error) / (2 * abs(ys[k - 1]))
        if cosine_error < best_error:
            best, best_error = cosine, cosine_error
    return ys if abs(ys[0] + ys[2]) < 2 * abs(ys[1]) else None
