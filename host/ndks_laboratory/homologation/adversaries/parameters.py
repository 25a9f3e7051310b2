# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attack on p1 and p2 from five keys, which gives every key of the network."""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ndks_laboratory import times

from ..attack import KEYS, Adversary, Bits, Finding, Oracle, Seen
from .frequency_search import Blocks, FrequencyWindow, TooMany, find, phase, usual_reach
from .predictions import Prediction, exact_bits, nothing, predicted
from .recurrence import KEYS_NEEDED, Doubles, MeasuredFrequency, nearest, parameters

_LIMITS = (100.0, 1000.0, 10000.0)  # of |y1|, tried in turn
_NEXT = 1.3  # factor from one measured key index to the next, for which the fit is good enough
_SIGMAS = 5
_LUCK = 0.05  # largest chance of such short decimals in a random interval
_PREDICTED_KEYS, _PREDICTED_BITS = 4, 250


class Parameters(Adversary):
    """Solves the recurrence of y(k) over candidates, fits more keys, then tries short decimals exactly."""

    name = "p1 and p2 from five keys"
    label = "A5"
    needs = frozenset({KEYS})

    def __init__(self, limit: float = _LIMITS[-1], budget: float = times.BUDGET) -> None:
        self.limit = limit
        self.budget = budget

    def run(self, seen: Seen, oracle: Oracle) -> Finding:
        if len(seen.keys) < KEYS_NEEDED:
            return nothing(self.name, f"{KEYS_NEEDED} keys are needed", {"keys": len(seen.keys)})
        details = {"keys": len(seen.keys), "largest_p2": self.limit}
        measured: list[MeasuredFrequency] = []
        for key in seen.keys[:KEYS_NEEDED]:
            frequency = _measured(seen, key)
            if frequency is None:
                return nothing(self.name, "the keys have no angular frequencies to compute p1 and p2 from", details)
            measured.append(frequency)
        fits = self._fits(seen, measured)
        if not fits:
            return nothing(
                self.name, f"no p1, p2 up to {self.limit:g} fit the angular frequencies of the keys", details
            )
        fit = fits[0]
        fit.extend(seen)
        decimals = fit.decimals(seen)
        details |= {"p1": fit.p1, "p2": fit.p2, "decimals": list(decimals or ()), "keys_measured": len(fit.indices)}
        what = "found p1 and p2 " + ("exactly" if decimals else "as real numbers")
        return predicted(self.name, oracle, what, fit.predictions(seen, decimals), details)

    def _fits(self, seen: Seen, measured: list[MeasuredFrequency]) -> list["Fit"]:
        for limit in [*(limit for limit in _LIMITS if limit < self.limit), self.limit]:
            found = parameters(measured, limit, seen.check_time)
            fits = [Fit(p1, p2, [1, 2, 3, 4, 5], ys, [key.error for key in measured]) for p1, p2, ys in found]
            if fits:
                return sorted(fits, key=lambda fit: abs(fit.p2))
        return []


def _measured(seen: Seen, key: Bits, blocks: Blocks | None = None) -> MeasuredFrequency | None:
    """Return the frequency of a key; if several fit all of its bits, they are neighbours."""
    try:
        windows = find(seen.digits, np.arange(len(key)), key, seen.check_time, blocks)
    except TooMany:
        return None
    if not windows:
        return None
    lowest = min(window.frequency - window.width / 2 for window in windows)
    highest = max(window.frequency + window.width / 2 for window in windows)
    return MeasuredFrequency((lowest + highest) / 2, (highest - lowest) / 2 + 1e-15)


@dataclass
class Fit:
    """A least-squares fit of p1 and p2 to y1 of some keys."""

    p1: float
    p2: float
    indices: list[int]
    ys: list[float]
    errors: list[float]
    covariance: Doubles = field(default_factory=lambda: np.zeros((2, 2)))

    def __post_init__(self) -> None:
        self._solve()

    def y(self, index: int) -> float:
        return self.p2 * math.sin(self.p1 * index)

    def error(self, index: int) -> float:
        """Return the error bound of y1 of a key."""
        slopes = self._slopes(np.array([index]))[0]
        return _SIGMAS * math.sqrt(float(slopes @ self.covariance @ slopes)) + 1e-15 * abs(self.p2)

    def extend(self, seen: Seen) -> None:
        """Measure keys with larger and larger indices, each of which improves p1."""
        index = self.indices[-1]
        while index < len(seen.keys):
            index = min(len(seen.keys), math.ceil(index * _NEXT))
            seen.check_time()
            error, expected = self.error(index), self.y(index)
            if error > math.pi / 8:
                return
            key = seen.keys[index - 1]
            reach = usual_reach(seen.digits, np.arange(1, len(key)))
            frequency = _measured(seen, key, Blocks.around(phase(expected), error, min(reach, error)))
            if frequency is None:
                return
            self.indices.append(index)
            self.ys.append(nearest(frequency.w, expected))
            self.errors.append(frequency.error + 1e-15 * abs(self.p2))
            self._solve()

    def decimals(self, seen: Seen) -> tuple[str, str] | None:
        """Return the shortest decimals within the error bounds, if they give the keys exactly."""
        sigmas = np.sqrt(np.diag(self.covariance)) * _SIGMAS
        p2 = _shortest(self.p2, float(sigmas[1]))
        # -p1 and p1 + pi give the same keys.
        same = (sign * self.p1 + turns * math.pi for turns in range(4) for sign in (1, -1))
        short = {p1 for value in same if (p1 := _shortest(value, float(sigmas[0])))}
        for p1 in sorted(short, key=lambda text: (len(text), text)):
            if p2 and self._gives(seen, p1, p2):
                return p1, p2
        return None

    def _gives(self, seen: Seen, p1: str, p2: str) -> bool:
        size = seen.keys.shape[1]
        rows = enumerate(seen.keys[:KEYS_NEEDED], 1)
        return all(np.array_equal(exact_bits(p1, p2, seen.digits, k, 0, size), key) for k, key in rows)

    def predictions(self, seen: Seen, decimals: tuple[str, str] | None) -> list[Prediction]:
        """Return predictions of the keys after the known ones."""
        made: list[Prediction] = []
        for index in range(len(seen.keys) + 1, len(seen.keys) + 1 + _PREDICTED_KEYS):
            if decimals:
                bits = exact_bits(*decimals, seen.digits, index, 0, _PREDICTED_BITS)
            else:
                bits = FrequencyWindow(phase(self.y(index)), 0.0, 0.0).bits(seen.digits, np.arange(_PREDICTED_BITS))
            made.append((index, 0, bits))
        return made

    def _slopes(self, indices: npt.NDArray[np.int64]) -> Doubles:
        """Return the derivatives of y by p1 and p2, one row per index."""
        angles = self.p1 * indices
        return np.stack((self.p2 * indices * np.cos(angles), np.sin(angles)), axis=1).astype(np.float64)

    def _solve(self) -> None:
        """Fit by the Gauss-Newton method."""
        indices, ys, errors = np.array(self.indices), np.array(self.ys), np.array(self.errors)
        for _ in range(3):
            slopes = self._slopes(indices) / errors[:, None]
            norms: Doubles = np.sqrt((slopes * slopes).sum(axis=0))  # the slopes of p1 are much larger
            inverse = np.linalg.pinv(np.divide(slopes, norms)).astype(np.float64) / norms[:, None]
            self.covariance = inverse @ inverse.T
            steps = inverse @ ((ys - self.p2 * np.sin(self.p1 * indices)) / errors)
            self.p1, self.p2 = self.p1 + float(steps[0]), self.p2 + float(steps[1])


def _shortest(value: float, error: float) -> str | None:
    """Return the shortest decimal within an error, or None if chance explains it."""
    for places in range(12 if value > 0 else 0):
        if abs(round(value, places) - value) <= error + 1e-15 * abs(value):
            return f"{value:.{places}f}" if 2 * error * 10**places < _LUCK else None
    return None
