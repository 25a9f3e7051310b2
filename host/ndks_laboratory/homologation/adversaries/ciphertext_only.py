# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Ciphertext-only attack on ASCII messages, whose bytes have the top bit 0.

So every eighth bit of the key is known, at elements that are multiples of g = gcd(8, first element). These bits give
w' = g w modulo pi, which leaves g candidates for w. Each remaining window of frequencies is cut into pieces on which
all bits of the message are constant. The most English-looking text wins.
"""

import math
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ndks_laboratory import times
from ndks_laboratory.outcome import Outcome

from ..attack import CIPHERTEXTS, Adversary, Bits, Finding, Intercepted, Oracle, OutOfTime, Seen
from . import english
from .frequency_search import RADIANS, TURN, Elements, FrequencyWindow, TooMany, find, parity

_RANKED = 64  # candidates that are cut into pieces; the others are far from any text
_LOOK = 48  # bytes of the first ranking of candidates
_COMPARED = 32  # pieces that are ranked by their words
_PIECES = 4000  # at most of a window
_EXCERPT = 60  # characters


@dataclass(frozen=True)
class Reading:
    """A guessed text of a message."""

    text: bytes
    seconds: float
    frequencies: int  # number of windows that fit the top bits


class CiphertextOnly(Adversary):
    """Reads messages from ciphertexts alone, in about 20 * 10^d steps each."""

    name = "ciphertext only, ASCII"
    label = "A1"
    needs = frozenset({CIPHERTEXTS})

    def __init__(self, messages: int = 20, budget: float = times.BUDGET) -> None:
        self.messages = messages
        self.budget = budget

    def run(self, seen: Seen, oracle: Oracle) -> Finding:
        chosen = sorted(seen.messages, key=lambda message: -len(message.ciphertext))[: self.messages]
        tried, read = 0, dict[int, Reading]()
        try:
            for message in chosen:
                reading = read_message(seen, message)
                tried += 1
                if reading and oracle.compare_text(message.number, reading.text):
                    read[message.number] = reading
        except OutOfTime:
            if not read:
                raise
        details = {"messages": len(chosen), "tried": tried, "read": len(read)}
        if not read:
            outcome = Outcome.held(f"none of {tried} messages could be read")
            return Finding(self.name, outcome, tests=tried, details=details)
        number = max(read, key=lambda number: len(set(read[number].text)))
        best = read[number]
        excerpt = best.text[:_EXCERPT].decode("ascii", "replace")
        details |= {"number": number, "seconds": best.seconds, "excerpt": excerpt, "bytes": len(best.text)}
        summary = f"read {len(read)} of {tried} messages; message {number} in {best.seconds:.3f} s: {excerpt!r}"
        return Finding(self.name, Outcome.failed(summary), tests=tried, details=details)


def read_message(seen: Seen, message: Intercepted) -> Reading | None:
    """Return the likeliest text, or None if no frequency makes the message ASCII."""
    start = time.monotonic()
    ciphertext = np.frombuffer(message.ciphertext, np.uint8)
    elements = message.first_element + np.arange(8 * len(ciphertext))
    common = math.gcd(8, message.first_element)
    try:
        windows = find(seen.digits, elements[::8] // common, ciphertext // 128, seen.check_time)
    except TooMany:
        return None
    if not windows:
        return None
    candidates = [_divided(window, common, turns) for window in windows for turns in range(common)]
    encrypted = np.unpackbits(ciphertext)
    best = min(
        (
            _likeliest(seen.digits, window, elements, encrypted)
            for window in _ranked(seen, candidates, elements, encrypted)
        ),
        key=lambda ranked: ranked[0],
    )
    return Reading(best[1], time.monotonic() - start, len(windows))


def _divided(window: FrequencyWindow, divisor: int, turns: int) -> FrequencyWindow:
    """Return the window of the frequencies (w + pi turns) / divisor."""
    centre, rest = divmod(window.centre + turns * (TURN // 2), divisor)
    shift = rest * RADIANS
    return FrequencyWindow(centre, (window.low + shift) / divisor, (window.high + shift) / divisor)


def _ranked(
    seen: Seen, candidates: list[FrequencyWindow], elements: Elements, encrypted: Bits
) -> list[FrequencyWindow]:
    """Return the candidates whose middles give the likeliest texts."""
    if len(candidates) <= _RANKED:
        return candidates
    look = slice(0, 8 * _LOOK)
    costs: list[float] = []
    for window in candidates:
        seen.check_time()
        bits = window.bits(seen.digits, elements[look]) ^ encrypted[look]
        costs.append(float(english.cost(np.packbits(bits)[None])[0]))
    return [candidates[i] for i in np.argsort(costs)[:_RANKED]]


def _likeliest(digits: int, window: FrequencyWindow, elements: Elements, encrypted: Bits) -> tuple[float, bytes]:
    """Return the likeliest text of a window and its cost; the prior of a text is the width of its piece."""
    edges = pieces(digits, window, elements)
    middles, widths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    both = [parity(window.values(digits, elements, edge)) for edge in (window.low, window.high)]
    bits = np.tile(both[0] ^ encrypted, (len(middles), 1))
    changing = np.flatnonzero(changes(digits, window, elements))
    for row, middle in zip(bits, middles, strict=True):
        row[changing] = parity(window.values(digits, elements[changing], middle)) ^ encrypted[changing]
    texts = np.packbits(bits, axis=1)
    costs = english.cost(texts) - np.log2(widths)
    near = costs.argsort()[:_COMPARED]
    total = [float(costs[i]) - english.saved(texts[i].tobytes()) for i in near]
    best = int(np.argmin(total))
    return total[best], texts[near[best]].tobytes()


def changes(digits: int, window: FrequencyWindow, elements: Elements) -> npt.NDArray[np.float64]:
    """Return the number of rounding steps of each element's value within a window."""
    first, last = (np.rint(window.values(digits, elements, edge)) for edge in (window.low, window.high))
    return last - first


def pieces(digits: int, window: FrequencyWindow, elements: Elements) -> npt.NDArray[np.float64]:
    """Return the points of a window at which bits change, and its edges: at most a few thousand."""
    low, high = (window.values(digits, elements, edge) for edge in (window.low, window.high))
    first, last = np.rint(low).astype(np.int64), np.rint(high).astype(np.int64)
    cuts = [np.array([window.low, window.high])]
    for i in np.flatnonzero(first != last):
        up = 1 if last[i] > first[i] else -1
        halves = np.arange(int(first[i]), int(last[i]), up) + up / 2
        if sum(map(len, cuts)) + len(halves) > _PIECES:
            break
        # In such a small window, the values are nearly linear.
        cuts.append(window.low + window.width * (halves - low[i]) / (high[i] - low[i]))
    return np.unique(np.concatenate(cuts).clip(window.low, window.high))
