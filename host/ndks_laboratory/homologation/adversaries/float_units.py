# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Exhaustive search over the angular frequencies of units that compute in single precision: 2^23 in an octave."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ndks_laboratory import times

from ..attack import KEYS, Adversary, Bits, Finding, Oracle, Seen
from .compiled import on_all_cores
from .frequency_search import Elements
from .predictions import HIDDEN, nothing, predicted

Singles = npt.NDArray[np.float32]

_BITS = 128  # enough to identify a frequency
_ONE = 0x3F800000  # bit pattern of 1.0; the next float has the next pattern
_OCTAVE = 1 << 23
_PART = 1 << 17  # frequencies in one job: they fit into the cache of a core


class FloatUnits(Adversary):
    """Tries all y1 in float32 from 2^octaves[0] to 2^octaves[1], and rejects them bit by bit."""

    name = "float32 units"
    label = "A6"
    needs = frozenset({KEYS})

    def __init__(self, octaves: tuple[int, int] = (-10, 10), budget: float = times.BUDGET) -> None:
        self.octaves = octaves
        self.budget = budget

    def run(self, seen: Seen, oracle: Oracle) -> Finding:
        key = seen.keys[0]
        known = key[:_BITS]
        first, last = (_ONE + octave * _OCTAVE for octave in self.octaves)
        details: dict[str, Any] = {"known_bits": len(known), "frequencies_tried": last - first}

        def search(start: int) -> list[float]:
            return surviving(seen.digits, known, start, min(last, start + _PART)).tolist()

        found = [y1 for part in on_all_cores(search, _parts(first, last), seen.check_time) for y1 in part]
        if not found:
            what = f"none of {last - first} single-precision frequencies gives {len(known)} bits of a key"
            return nothing(self.name, what, details)
        # The other known bits choose among the frequencies that give the same first bits.
        y1 = max(map(np.float32, found), key=lambda y1: agreement(y1, seen.digits, key))
        details |= {"fit": len(found), "frequency": float(y1)}
        bits = bits_of(y1, seen.digits, np.arange(len(key), len(key) + HIDDEN))
        what = f"the key has one of {last - first} single-precision frequencies"
        return predicted(self.name, oracle, what, [(1, len(key), bits)], details)


def float_unit_bits(p1: str, p2: str, digits: int, index: int, count: int, first: int = 0) -> Bits:
    """Return the bits of a key computed in single precision."""
    y1 = np.float32(p2) * np.sin(np.float32(p1) * np.float32(index))
    return bits_of(y1, digits, np.arange(first, first + count))


def bits_of(y1: Any, digits: int, elements: Elements) -> Bits:
    """Return bits of one frequency, or one element of several frequencies."""
    values: Singles = np.rint(np.float32(10**digits) * np.abs(np.cos(y1 * elements.astype(np.float32))))
    return (values.astype(np.int64 if digits > 9 else np.int32) & 1).astype(np.uint8)


def agreement(y1: Any, digits: int, key: Bits) -> int:
    """Return the number of key bits that a frequency gives correctly."""
    return int(np.count_nonzero(bits_of(y1, digits, np.arange(len(key))) == key))


def surviving(digits: int, known: Bits, first: int, last: int) -> Singles:
    """Return the positive float32 frequencies that give the bits; `first` and `last` are bit patterns of floats."""
    left = np.arange(first, last, dtype=np.uint32).view(np.float32)
    for element, bit in enumerate(known):
        left = left[bits_of(left, digits, np.array([element])) == bit]
        if not len(left):
            break
    return left


def _parts(first: int, last: int) -> list[int]:
    """Return the starts of the jobs: from 1 upwards, where most frequencies are, then from 1 downwards."""
    starts = range(first, last, _PART)
    return sorted(starts, key=lambda start: (start < _ONE, abs(start - _ONE)))
