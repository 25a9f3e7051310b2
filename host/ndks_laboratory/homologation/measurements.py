# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Measurements of keys for the paper's claims: length, sensitivity to decimals, entropy."""

import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import ndks
from ndks.exceptions import UsageError
from ndks.keys.generator import VectorGenerator
from ndks.keys.offline_keys import exported_key
from ndks.network.network_file import Network
from ndks_laboratory import times
from ndks_laboratory.entropy import entropy
from ndks_laboratory.stages.members import ALTERED_PLACE, change_digit
from ndks_laboratory.stages.regular_channel import Carried
from ndks_laboratory.stages.sides import Side

from .attack import Bits
from .correspondence import REPEATED_SYMBOL, is_one_symbol
from .material import KEY_BITS, ciphertext_of, unpack
from .statistics import hamming
from .statistics.encodings import symbol_encodings
from .statistics.tails import two_sided

_BLOCK_BITS = 1 << 13  # in one answer of a unit
_TRIAL_BITS = 64 * _BLOCK_BITS  # to measure the speed of a unit
_WINDOWS = 64  # of a long key, if all of it would take too long
_WINDOW_ENDS = (1 << 16, 1 << 20, 1 << 22, 1 << 24, 1 << 26)  # errors of floats grow with the element index
_DIGITS = 9  # the other digits at a decimal place
_PLACES = 40  # decimals of random parameters


@dataclass(frozen=True)
class LongKey:
    """The comparison of `compared` bits of a long key of both units."""

    index: int
    bits: int
    compared: int
    same: bool
    seconds: float

    @property
    def bits_a_second(self) -> float:
        """The speed of one unit, while both were read in turn."""
        return 2 * self.compared / self.seconds


@dataclass(frozen=True)
class Symbol:
    """The encodings of one repeated symbol, and the number of equal letters with equal ciphertexts."""

    count: int
    distinct: int
    p_value: float
    equal_messages: int
    pairs: int


@dataclass(frozen=True)
class ChangedDecimal:
    """The Hamming distance of the units' keys when one decimal of the paper's p1 differs."""

    place: int
    bits: int
    differ: int


@dataclass(frozen=True)
class Sensitivity:
    """The sensitivity of keys to decimals: on the units, and in software for each digit of a parameter."""

    on_units: ChangedDecimal
    distances: Mapping[str, npt.NDArray[np.int64]]  # see `distances`
    limits: tuple[int, int]  # of the distances of random keys

    def last_half(self, name: str) -> int:
        """Return the last place up to which the median digit of a parameter changes half of the key."""
        medians = np.median(self.distances[name], axis=1)
        return int(np.argmax(np.append(medians < self.limits[0], True)))


def measure_sensitivity(network: Network, of_units: tuple[bytes, bytes], p_value: float) -> Sensitivity:
    """Measure the sensitivity; `of_units` is key 1 of both units, with one decimal of the paper's p1 changed.

    `p_value` is the proportion of random keys that may be outside of the limits.
    """
    one, other = map(unpack, of_units)
    on_units = ChangedDecimal(ALTERED_PLACE, KEY_BITS, int(hamming(one, other).worst.value))
    return Sensitivity(on_units, distances(network, _PLACES), fair_limits(KEY_BITS, p_value))


def measure_symbol(carried: Sequence[Carried]) -> Symbol:
    """Examine the letters with cipher vernam: letters of one symbol, and pairs of equal letters."""
    vernam = [c for c in carried if c.letter.cipher == "vernam"]
    encoded = b"".join(ciphertext_of(c.capsule) for c in vernam if is_one_symbol(c.letter))
    result = symbol_encodings(encoded, ord(REPEATED_SYMBOL))
    pairs = [(a, b) for a, b in itertools.combinations(vernam, 2) if a.letter.text == b.letter.text]
    alike = sum(ciphertext_of(a.capsule) == ciphertext_of(b.capsule) for a, b in pairs)
    return Symbol(result.symbols, result.distinct, result.p_value, alike, len(pairs))


def compare_long_key(sides: Sequence[Side], index: int, bits: int, tell: Callable[[int], object]) -> LongKey:
    """Compare a long key of both units while it is read.

    If the whole key would take more than two minutes, compare its beginning, its end and evenly spaced windows. `tell`
    is called with the number of bits compared since the last call.
    """
    start = time.monotonic()
    with _opened(sides[0]) as first, _opened(sides[1]) as second:
        compared = _Compared((first, second), index, tell)
        trial = min(bits, _TRIAL_BITS)
        compared.add(0, trial)
        if (time.monotonic() - start) * bits / trial <= times.LONG_KEY:
            compared.add(trial, bits - trial)
        else:
            for offset in _windows(trial, bits):
                compared.add(offset, min(_BLOCK_BITS, bits - offset))
    return LongKey(index, bits, min(bits, compared.bits), compared.same, time.monotonic() - start)


class _Compared:
    """The comparison of a key of two units."""

    def __init__(self, units: Sequence[ndks.Unit], index: int, tell: Callable[[int], object]) -> None:
        self.same, self.bits = True, 0
        self._units, self._index, self._tell = units, index, tell

    def add(self, offset: int, count: int) -> None:
        """Compare `count` bits from bit `offset` on."""
        if not count:
            return
        both = (unit.stream_key(self._index, offset + count, epoch=0, offset=offset // 8) for unit in self._units)
        for one, other in zip(*both, strict=True):
            self.same = self.same and one == other
            self.bits += 8 * len(one)
            self._tell(8 * len(one))


@dataclass(frozen=True)
class Defined:
    """Whether units give the defined keys; the number of keys and of windows of a long key compared."""

    same: bool
    keys: int
    windows: int


def compare_with_definition(sides: Sequence[Side], network: Network, indices: Sequence[int], long: LongKey) -> Defined:
    """Compare keys of both units with exact arithmetic: beginnings of some keys, and windows of a long key."""
    ends = [*_WINDOW_ENDS, long.bits]
    offsets = sorted({max(0, (end - _BLOCK_BITS) // 8) for end in ends if end <= long.bits})
    same = all(_is_as_defined(side, network, indices, long.index, offsets) for side in sides)
    return Defined(same, len(indices), len(offsets))


def distances(network: Network, places: int) -> Mapping[str, npt.NDArray[np.int64]]:
    """Return the number of the first KEY_BITS elements of key 1 that change with one digit, for p1 and p2.

    Shape (places, 9): one row per decimal place, with one column per other digit. The keystream of suite hybrid is
    equal for both keys, and cancels out.
    """
    return {name: _distances(network, name, places) for name in ("p1", "p2")}


def fair_limits(bits: int, p_value: float) -> tuple[int, int]:
    """Return the limits that a count of `bits` fair bits leaves with probability `p_value` at most (exact binomial)."""
    low = int(np.argmax(two_sided(np.arange(bits), bits) >= math.log10(p_value)))
    return low, bits - low


def evenness(bits: Bits) -> float:
    """Return the empirical entropy of the key's bytes, in bits per bit."""
    return entropy(np.packbits(bits).tobytes()) / 8


def most_entropy(digits: int, bits: int) -> float:
    """Return an upper bound of the entropy of a key of eq. 7 in bits, for any parameters (SECURITY.md)."""
    return math.log2(10.0**digits * bits**2 / 2)


def _is_as_defined(
    side: Side, network: Network, indices: Sequence[int], long_index: int, offsets: Sequence[int]
) -> bool:
    size = _BLOCK_BITS // 8
    with _opened(side) as unit:
        return all(
            unit.key(i, KEY_BITS, epoch=0).data == exported_key(network, i, KEY_BITS // 8) for i in indices
        ) and all(
            b"".join(unit.stream_key(long_index, 8 * (offset + size), epoch=0, offset=offset))
            == exported_key(network, long_index, size, offset=offset)
            for offset in offsets
        )


def _windows(first: int, bits: int) -> list[int]:
    step = max(1, (bits - first) // _WINDOWS)
    starts = {(first + i * step) // 8 * 8 for i in range(_WINDOWS - 1)} | {max(first, bits - _BLOCK_BITS) // 8 * 8}
    return sorted(start for start in starts if start < bits)


def _distances(network: Network, name: str, places: int) -> npt.NDArray[np.int64]:
    base = _first_key(network)
    found = [
        [np.count_nonzero(base != _changed_key(network, name, place, other)) for other in range(1, _DIGITS + 1)]
        for place in range(1, places + 1)
    ]
    return np.array(found, np.int64)


def _first_key(network: Network) -> Bits:
    return unpack(VectorGenerator.of(network).key(1).read(0, KEY_BITS))


def _changed_key(network: Network, name: str, place: int, by: int) -> Bits:
    try:
        return _first_key(change_digit(network, name, place, by))
    except UsageError:  # the parameter became 0, which networks refuse; all bits of cos 0 are 0
        return np.zeros(KEY_BITS, np.uint8)


def _opened(side: Side) -> ndks.Unit:
    return ndks.open(side.port, bindings=side.bindings)
