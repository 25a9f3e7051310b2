# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attack on the angular frequency of a key from known bits; the frequency gives the rest of the key."""

import numpy as np

from ndks_laboratory import times

from ..attack import KEYS, Adversary, Finding, Oracle, Seen
from .frequency_search import FrequencyWindow, TooMany, find
from .predictions import HIDDEN, nothing, predicted


class Frequency(Adversary):
    """Branch and bound on the angular frequency, in about 4 * 10^d steps."""

    name = "angular frequency from known bits"
    label = "A2"
    needs = frozenset({KEYS})

    def __init__(self, known_bits: int = 768, budget: float = times.BUDGET) -> None:
        self.known_bits = known_bits
        self.budget = budget

    def run(self, seen: Seen, oracle: Oracle) -> Finding:
        key = seen.keys[0]
        known = key[: self.known_bits]
        details = {"key_index": 1, "known_bits": len(known)}
        try:
            windows = find(seen.digits, np.arange(len(known)), known, seen.check_time)
        except TooMany:
            return nothing(self.name, f"{len(known)} bits are too few to find the frequency of a key", details)
        if not windows:
            return nothing(self.name, f"no angular frequency fits {len(known)} bits of a key", details)
        best = windows[0]
        details |= {"frequencies": len(windows), **described(best)}
        elements = np.arange(len(key), len(key) + HIDDEN)
        what = f"found the angular frequency of key 1 from {len(known)} bits of it"
        prediction = (1, len(key), best.bits(seen.digits, elements))
        return predicted(self.name, oracle, what, [prediction], details)


def described(window: FrequencyWindow) -> dict[str, float]:
    """Return a frequency as fields of `details`."""
    return {"frequency": float(window.frequency), "frequency_uncertainty": window.width / 2}
