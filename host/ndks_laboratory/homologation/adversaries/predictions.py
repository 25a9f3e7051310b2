# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What an adversary claims to know of bits that he has not seen, and how likely a coin would have known as much."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ndks.keys.generator import VectorGenerator
from ndks_laboratory.outcome import Outcome

from ..attack import Bits, Finding, Oracle
from ..statistics.tails import upper_tail

UNLIKELY = 1e-9  # below this an adversary says himself that he succeeded
HIDDEN = 1000  # bits that are predicted, where there is no other reason

Prediction = tuple[int, int, Bits]  # key index, first element, bits


def tail(least: int, trials: int) -> float:
    """Return the chance that a coin is right so often or more."""
    return 10.0 ** float(upper_tail([least], [trials], 0.5)[0])


def exact_bits(p1: str, p2: str, digits: int, index: int, first: int, count: int) -> Bits:
    data = bytes(VectorGenerator(p1, p2, digits).key(index).read(first, count))
    return np.unpackbits(np.frombuffer(data, np.uint8))[:count]


def nothing(name: str, summary: str, details: Mapping[str, Any], tests: int = 0) -> Finding:
    """Return that nothing was found to predict from, as is expected of random bits."""
    return Finding(name, Outcome.held(summary), p_value=1.0, tests=tests, details=details)


def predicted(
    name: str, oracle: Oracle, what: str, predictions: Sequence[Prediction], details: Mapping[str, Any]
) -> Finding:
    """Ask the oracle how many bits are right; the reason begins with `what` was found."""
    total = right = 0
    for index, first, bits in predictions:
        agree = oracle.compare_bits(index, first, bits)
        if agree is not None:
            total, right = total + len(bits), right + agree
    p_value = tail(right, total) if total else 1.0
    came_out = f"predicted {right} of {total} hidden bits" if total else "nobody has the bits it predicts"
    outcome = Outcome.of(p_value >= UNLIKELY, f"{what}; {came_out}")
    numbers = {"predicted_bits": total, "right_bits": right, "p_value": p_value}
    return Finding(name, outcome, p_value=p_value, tests=1, details={**details, **numbers})
