# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Predictions of hidden bits by adversaries, and the probability that a coin is as good."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ndks.keys.generator import VectorGenerator
from ndks_laboratory.outcome import Outcome

from ..attack import Bits, Finding, Oracle
from ..statistics.tails import upper_tail

UNLIKELY = 1e-9  # an adversary claims success below this p-value
HIDDEN = 1000  # default number of predicted bits

Prediction = tuple[int, int, Bits]  # key index, first element, bits


def tail(least: int, trials: int) -> float:
    """Return the probability that a coin is right at least `least` times."""
    return 10.0 ** float(upper_tail([least], [trials], 0.5)[0])


def exact_bits(p1: str, p2: str, digits: int, index: int, first: int, count: int) -> Bits:
    data = bytes(VectorGenerator(p1, p2, digits).key(index).read(first, count))
    return np.unpackbits(np.frombuffer(data, np.uint8))[:count]


def nothing(name: str, summary: str, details: Mapping[str, Any], tests: int = 0) -> Finding:
    """Return the finding that nothing can be predicted, as expected of random bits."""
    return Finding(name, Outcome.held(summary), p_value=1.0, tests=tests, details=details)


def predicted(
    name: str, oracle: Oracle, what: str, predictions: Sequence[Prediction], details: Mapping[str, Any]
) -> Finding:
    """Ask the oracle for the number of correct bits; the reason of the finding begins with `what`."""
    total = right = 0
    for index, first, bits in predictions:
        agree = oracle.compare_bits(index, first, bits)
        if agree is not None:
            total, right = total + len(bits), right + agree
    p_value = tail(right, total) if total else 1.0
    came_out = f"predicted {right} of {total} hidden bits" if total else "the oracle does not have the predicted bits"
    outcome = Outcome.of(p_value >= UNLIKELY, f"{what}; {came_out}")
    numbers = {"predicted_bits": total, "right_bits": right, "p_value": p_value}
    return Finding(name, outcome, p_value=p_value, tests=1, details={**details, **numbers})
