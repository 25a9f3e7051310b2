# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Attack on the angular frequency w of a long key by its autocorrelation.

A key correlates with itself at lag q if q w is nearly a multiple of pi. With eps = q w - m pi and S = 10^d, the
correlation is about J0(pi S eps), which is less than 0.45 / sqrt(S eps). So w is within eps / q of one of the q / 2
fractions m pi / q, and the search near them is short.
"""

import math

import numpy as np

from ndks_laboratory import times

from ..attack import LONG_KEY, Adversary, Bits, Finding, Oracle, Seen
from ..statistics.correlation import autocorrelation
from ..statistics.tails import Floats
from .frequency import described
from .frequency_search import Blocks, Elements, FrequencyWindow, TooMany, find, usual_reach
from .predictions import HIDDEN, nothing, predicted

_BITS = 64  # times 10^(d/2): enough for the best lag to stand out nearly always
_LEAST_BITS = 2048
_LAGS = 16  # tried, the best first
_NOISE = 2.0  # standard deviations that chance may add to a correlation
_BOUND = 0.45
_DENSE = 4096  # first elements, of which all are used; of each doubling after that ...
_SPARSE = 1024  # ... this number, which keeps the phase unambiguous


class Autocorrelation(Adversary):
    """Autocorrelation at all lags, and a search near the fractions of the best lags."""

    name = "autocorrelation of a long key"
    label = "A3"
    needs = frozenset({LONG_KEY})

    def __init__(self, budget: float = times.BUDGET) -> None:
        self.budget = budget

    def run(self, seen: Seen, oracle: Oracle) -> Finding:
        bits = seen.long_key[: bits_for(seen.digits)]
        sigmas = correlations(bits)
        seen.check_time()
        lags = np.argsort(-np.abs(sigmas))[:_LAGS]
        details = {"bits": len(bits), "best_lag": int(lags[0]), "sigmas": float(abs(sigmas[lags[0]]))}
        for lag in (int(lag) for lag in lags if sigmas[lag]):
            correlation = max(1.0, abs(float(sigmas[lag])) - _NOISE) / math.sqrt(len(bits) - lag)
            windows = frequencies(seen, lag, correlation)
            if windows:
                break
        else:
            return nothing(self.name, "no lag of the autocorrelation leads to an angular frequency", details)
        best = windows[0]
        details |= {"lag": lag, **described(best)}
        end = len(seen.long_key)
        prediction = (seen.long_key_index, end, best.bits(seen.digits, np.arange(end, end + HIDDEN)))
        what = f"found the angular frequency of a key of {len(bits)} bits, which correlates with itself at lag {lag}"
        return predicted(self.name, oracle, what, [prediction], details)


def bits_for(digits: int) -> int:
    """Return the number of key bits that the attack needs at this d."""
    return max(_LEAST_BITS, math.ceil(_BITS * 10 ** (digits / 2)))


def correlations(bits: Bits) -> Floats:
    """Return the autocorrelation at each lag, in standard deviations; 0 for lag 0 and the last lags."""
    count = len(bits)
    bias = 1 - 2 * float(bits.mean())
    sigmas = autocorrelation(bits)
    sigmas -= bias**2 * np.sqrt(np.arange(count, 0, -1))  # the contribution of unequal numbers of ones and zeros
    sigmas[0] = 0
    sigmas[-max(1, count // 50) :] = 0  # sums of few terms
    return sigmas


def frequencies(seen: Seen, lag: int, correlation: float) -> list[FrequencyWindow]:
    """Return the frequencies that fit the long key and give at least this correlation at this lag."""
    elements = sparse(len(seen.long_key))
    reach = usual_reach(seen.digits, elements)
    farthest = max(1.0, (_BOUND / correlation) ** 2) / 10.0**seen.digits
    width = min(math.pi / 2, farthest) / lag
    about = Blocks.about_fractions(lag, width, reach)
    everywhere = Blocks.everywhere(reach)
    blocks = about if about.count < everywhere.count else everywhere
    try:
        return find(seen.digits, elements, seen.long_key[elements], seen.check_time, blocks)
    except TooMany:
        return []


def sparse(count: int) -> Elements:
    """Return elements below `count` for the search: all of the first ones, then fewer and fewer."""
    pieces = [np.arange(min(count, _DENSE))]
    start = _DENSE
    while start < count:
        pieces.append(np.arange(start, min(count, 2 * start), max(1, start // _SPARSE)))
        start *= 2
    return np.concatenate(pieces)
