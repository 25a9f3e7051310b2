# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Controls: targets that must fall to the adversaries, and targets that must stand.

A failed attack on a unit is evidence only if the same attack succeeds on a weak target and fails on random bits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ndks.keys.generator import VectorGenerator
from ndks_laboratory.stages.letters import FROM_CAGE, Letter

from .adversaries.autocorrelation import bits_for
from .adversaries.float_units import float_unit_bits
from .attack import Bits, Intercepted, Oracle, Seen
from .bare_system import BareSystem
from .correspondence import letters
from .ideal_system import IdealSystem
from .material import KEY_BITS, TextOracle, unpack
from .networks.toy_network import FRESH, PAUSED, REVOKING, SEALED, SIGNED, TAGGED, ToyNetwork
from .old_sessions import OldSessions

# The paper's own parameters: the controls must not depend on chance.
P1, P2, DIGITS = "0.52", "25", 3

# Controls have a fixed size, whatever the sample of the units.
_KEYS, _LONG_BITS = LEAST_KEYS, LEAST_LONG_BITS = 2000, 1 << 20
_FEW_KEYS = 8
_LETTERS = 48
_LETTER_SEED = 1  # of the controls; only their random bits depend on the seed of a homologation

# The rules of a network, and the labels of the adversaries against them.
_AGAINST = {TAGGED: "N1", FRESH: "N1", SIGNED: "N2", PAUSED: "N3", SEALED: "N4", REVOKING: "N5"}

MUST_FALL, MUST_STAND = "must fall", "must stand"

_ReadKey = Callable[[int, int, int], Bits]  # index, first element, count


@dataclass(frozen=True)
class Target:
    """A target, its adversaries, and its required outcome (`role`)."""

    name: str
    role: str
    seen: Seen
    oracle: Oracle
    labels: frozenset[str]  # of the adversaries
    all_must: bool = True  # False: one success is enough


class SoftwareOracle(TextOracle):
    """Knows the keys and texts of a control."""

    def __init__(self, read_key: _ReadKey, texts: Sequence[Letter]) -> None:
        super().__init__({letter.number: letter.text for letter in texts})
        self._read_key = read_key

    def compare_bits(self, index: int, first: int, bits: Bits) -> int | None:
        """Return the number of correct bits."""
        if index < 1 or first < 0:
            return None
        return int(np.count_nonzero(self._read_key(index, first, len(bits)) == bits))


def _no_key(index: int, first: int, count: int) -> Bits:  # noqa: ARG001 (adversaries of networks ask for none)
    return np.zeros(count, np.uint8)


class _RandomKeys:
    """Keys of fair random bits, reproducible by index and position."""

    _BLOCK = 1 << 16

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def read(self, index: int, first: int, count: int) -> Bits:
        blocks = range(first // self._BLOCK, (first + count - 1) // self._BLOCK + 1)
        bits = np.concatenate([self._block(index, block) for block in blocks])
        start = first % self._BLOCK
        return bits[start : start + count]

    def _block(self, index: int, number: int) -> Bits:
        draw = np.random.default_rng((self._seed, index, number))
        return draw.integers(0, 2, self._BLOCK, np.uint8)


def bare_paper(labels: frozenset[str], digits: int = DIGITS) -> Target:
    """Return a control of equation 7 alone as a cipher, without tags and bindings.

    At another d than the paper's, one success is enough; adversaries that fail there are not run on the units.
    """
    generator = VectorGenerator(P1, P2, digits)
    is_other = digits != DIGITS

    def read_key(index: int, first: int, count: int) -> Bits:
        return unpack(generator.key(index).read(first, count))[:count]

    name = f"control: bare paper at d = {digits}" if is_other else "control: bare paper"
    size = (_FEW_KEYS if is_other else _KEYS, max(_LONG_BITS, bits_for(digits)))
    seen, oracle = _disclosed(read_key, size)
    seen = replace(seen, digits=digits, system=BareSystem())
    return Target(name, MUST_FALL, seen, oracle, labels, all_must=not is_other)


def float_unit(labels: frozenset[str]) -> Target:
    """Return a control that computes equation 7 in single precision (floats of a board have two bits less)."""

    def read_key(index: int, first: int, count: int) -> Bits:
        return float_unit_bits(P1, P2, DIGITS, index, first + count)[first:]

    return Target("control: float unit", MUST_FALL, *_disclosed(read_key, (5, KEY_BITS)), labels)


def old_sessions(labels: frozenset[str], seed: int) -> Target:
    """Return a control with the sessions of protocol 2.0, which a recording and a copy of the flash open."""
    seen, oracle = _disclosed(_RandomKeys(seed).read, (1, KEY_BITS))
    seen = replace(seen, system=OldSessions(seed), seed=seed)
    return Target("control: sessions of protocol 2.0", MUST_FALL, seen, oracle, labels)


def random_bits(labels: frozenset[str], seed: int) -> Target:
    """Return a control of fair random keys, with an ideal system."""
    seen, oracle = _disclosed(_RandomKeys(seed).read, (_KEYS, _LONG_BITS))
    seen = replace(seen, system=IdealSystem(seed), seed=seed)
    return Target("control: random bits", MUST_STAND, seen, oracle, labels)


def no_oracle() -> SoftwareOracle:
    """Return an oracle for adversaries who do not ask it anything."""
    return SoftwareOracle(_no_key, ())


def toy_networks(seed: int) -> list[Target]:
    """Return networks that each lack one rule and must fall to the adversary of that rule, and one that has all."""
    lacking = [
        (f"control: network without {rule}", MUST_FALL, ToyNetwork(seed, rule), frozenset({label}))
        for rule, label in _AGAINST.items()
    ]
    whole = "control: network with all rules", MUST_STAND, ToyNetwork(seed), frozenset(_AGAINST.values())
    return [_network(*target, seed) for target in (*lacking, whole)]


def _network(name: str, role: str, network: ToyNetwork, labels: frozenset[str], seed: int) -> Target:
    nothing = np.zeros((0, 0), np.uint8)
    return Target(name, role, Seen(DIGITS, nothing, nothing, (), network=network, seed=seed), no_oracle(), labels)


def _disclosed(read_key: _ReadKey, size: tuple[int, int]) -> tuple[Seen, SoftwareOracle]:
    """Return the adversaries' data of a control, and its oracle. `size`: number of keys, and bits of the long key."""
    keys, long_bits = size
    everything = letters(_LETTERS, _LETTER_SEED)
    texts = [letter for letter in everything if letter.cipher == "vernam" and letter.number != FROM_CAGE]
    first_keys = np.stack([read_key(index, 0, KEY_BITS) for index in range(1, keys + 1)])
    messages = tuple(_encrypted(letter, read_key) for letter in texts)
    seen = Seen(DIGITS, first_keys, read_key(keys + 1, 0, long_bits), messages)
    return seen, SoftwareOracle(read_key, texts)


def _encrypted(letter: Letter, read_key: _ReadKey) -> Intercepted:
    """Return a letter XOR the key of its number, which is the Vernam cipher of the paper."""
    key = np.packbits(read_key(letter.number, 0, 8 * len(letter.text)))
    text = np.frombuffer(letter.text, np.uint8)
    return Intercepted(letter.number, (text ^ key).tobytes(), 0)
