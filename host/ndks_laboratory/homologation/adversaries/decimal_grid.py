# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Exhaustive search over p1 with few decimals and whole p2, as people choose them: 3 * 10^8 pairs."""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ndks.keys.double_double import Pair, concatenate, from_fixed, rotate, scale
from ndks_laboratory import times
from ndks_protocol import turns
from ndks_protocol.generator import fixed_point

from ..attack import KEYS, Adversary, Bits, Finding, Oracle, Seen
from .compiled import on_all_cores
from .frequency_search import Phases
from .grid_kernel import matches
from .predictions import HIDDEN, exact_bits, nothing, predicted

_BITS = 40  # of a key: few enough to be exact at d = 12; the pairs found are then compared exactly
_FIXED = 128  # bits of fixed-point numbers
_COLUMNS = 10  # bits: 1024 multiples of p1 in a table
_AT_ONCE = 4096  # values of p1 in one job
_CHECKED = 5  # keys that a pair must give
_MOST = 1 << 12  # pairs that one job may find


class DecimalGrid(Adversary):
    """Tries all p1 below pi with some decimals, the shortest first, and all whole p2 up to a limit."""

    name = "p1 and p2 as short decimals"
    label = "A4"
    needs = frozenset({KEYS})

    def __init__(self, p1_decimals: int = 5, p2_limit: int = 1000, budget: float = times.BUDGET) -> None:
        self.p1_decimals = p1_decimals
        self.p2_limit = p2_limit
        self.budget = budget

    def run(self, seen: Seen, oracle: Oracle) -> Finding:
        unit = 10**self.p1_decimals
        count = math.floor(math.pi * unit)
        details = {"p1_decimals": self.p1_decimals, "p2_limit": self.p2_limit, "pairs": count * self.p2_limit}
        for number, p2 in self._pairs(seen, count):
            p1 = f"{number // unit}.{number % unit:0{self.p1_decimals}d}"
            if _gives(seen.keys, p1, str(p2), seen.digits):
                break
        else:
            what = f"none of {count * self.p2_limit} pairs of short decimals p1, p2 gives the keys"
            return nothing(self.name, what, details)
        details |= {"p1": p1, "p2": str(p2)}
        index = len(seen.keys) + 1
        bits = exact_bits(p1, str(p2), seen.digits, index, 0, HIDDEN)
        return predicted(
            self.name, oracle, f"found p1 and p2 among {details['pairs']} pairs", [(index, 0, bits)], details
        )

    def _pairs(self, seen: Seen, count: int) -> Iterator[tuple[int, int]]:
        """Yield pairs that give the beginning of key 1: p1 in units of its last decimal, and p2."""
        numbers = by_decimals(count)
        steps = half_turns(count, 10**self.p1_decimals)[numbers]
        bits = seen.keys[0, 1 : 1 + _BITS]

        def search(start: int) -> list[tuple[int, int]]:
            found = np.empty((_MOST, 2), np.int64)
            part = steps[start : start + _AT_ONCE]
            many = matches(part, bits, 10.0**seen.digits, self.p2_limit, found)
            return [(int(numbers[start + i]), int(p2)) for i, p2 in found[:many]]

        for pairs in on_all_cores(search, range(0, count, _AT_ONCE), seen.check_time):
            yield from pairs


def by_decimals(count: int) -> npt.NDArray[np.int64]:
    """Return the numbers 1 to `count`, those with the most trailing zeros first."""
    numbers = np.arange(1, count + 1)
    zeros = sum((numbers % 10**power == 0).astype(np.int64) for power in range(1, 8))
    return numbers[np.argsort(-zeros, kind="stable")]


def half_turns(count: int, unit: int) -> Phases:
    """Return 2^64 sin(i / unit) / pi for i = 0 to `count`, rounded with an error of at most 1."""
    columns = _table(1, unit, _COLUMNS)
    row_bits = max(0, (count >> _COLUMNS).bit_length())
    rows = tuple(Pair(pair.high[:, None], pair.low[:, None]) for pair in _table(1 << _COLUMNS, unit, row_bits))
    _, sines = rotate(rows[0], rows[1], *columns)
    inverse = _inverse_of_pi()
    product = scale(sines, float(inverse.high[0]))
    low = product.low + sines.high * inverse.low
    upper = np.floor(product.high * 2.0**32)
    lower = np.rint(((product.high * 2.0**32 - upper) + low * 2.0**32) * 2.0**32)
    whole = (upper.astype(np.int64) << 32) + lower.astype(np.int64)
    return whole.ravel()[: count + 1].view(np.uint64)


def _inverse_of_pi() -> Pair:
    pi = turns.pi(_FIXED)
    return from_fixed((1 << 2 * _FIXED) // pi, _FIXED)


def _table(step: int, unit: int, bits: int) -> tuple[Pair, Pair]:
    """Return cosines and sines of 0 to 2^bits - 1 times step / unit."""
    table = from_fixed(1, 0), from_fixed(0, 0)
    for power in range(bits):
        phase = turns.phase_of(step << power, unit, _FIXED)
        turn = (from_fixed(of(phase, _FIXED), _FIXED) for of in (fixed_point.cosine, fixed_point.sine))
        turned = rotate(*table, *turn)
        table = concatenate(table[0], turned[0]), concatenate(table[1], turned[1])
    return table


def _gives(keys: Bits, p1: str, p2: str, digits: int) -> bool:
    """Return whether parameters give all bits of the first keys."""
    size = keys.shape[1]
    return all(np.array_equal(exact_bits(p1, p2, digits, k, 0, size), key) for k, key in enumerate(keys[:_CHECKED], 1))
