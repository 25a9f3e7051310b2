# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Targets whose outcome is known beforehand: what must fall to the adversaries, and what must stand.

That an adversary finds nothing in a unit shows something only if he finds what is there, and nothing where nothing is.
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
from .material import KEY_BITS, unpack

# The paper's own parameters; what is in its keys is known, so that nothing of this is left to chance.
P1, P2, DIGITS = "0.52", "25", 3

# Controls are as large as they have to be, whatever is asked of the units.
_KEYS, _LONG_BITS = LEAST_KEYS, LEAST_LONG_BITS = 2000, 1 << 20
_FEW_KEYS = 8
_LETTERS = 48
_LETTER_SEED = 1  # controls do not change with the seed of a homologation, but for the random bits

MUST_FALL, MUST_STAND = "must fall", "must stand"

_ReadKey = Callable[[int, int, int], Bits]  # index, first element, count


@dataclass(frozen=True)
class Target:
    """What is attacked, by whom, and what has to come of it (`role`)."""

    name: str
    role: str
    seen: Seen
    oracle: Oracle
    labels: frozenset[str]  # of the adversaries
    all_must: bool = True  # else one success is enough


class SoftwareOracle:
    """Knows all keys of a control, and the texts."""

    def __init__(self, read_key: _ReadKey, texts: Sequence[Letter]) -> None:
        self._read_key = read_key
        self._texts = {letter.number: letter.text for letter in texts}

    def compare_bits(self, index: int, first: int, bits: Bits) -> int | None:
        """Return how many of these elements are right."""
        if index < 1 or first < 0:
            return None
        return int(np.count_nonzero(self._read_key(index, first, len(bits)) == bits))

    def compare_text(self, number: int, text: bytes) -> bool:
        """Tell whether this is the text of a message."""
        return self._texts.get(number) == text


class _RandomKeys:
    """Keys of fair coins, the same for the same index and place."""

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
    """Equation 7 by itself as a cipher, on messages without tags, in units that open for everybody.

    At another d than the paper's, one of the adversaries has to succeed; what the others cannot do there, they cannot
    show of units either.
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
    """A unit that computes equation 7 in single precision (a board's own floats have two bits less)."""

    def read_key(index: int, first: int, count: int) -> Bits:
        return float_unit_bits(P1, P2, DIGITS, index, first + count)[first:]

    return Target("control: float unit", MUST_FALL, *_disclosed(read_key, (5, KEY_BITS)), labels)


def random_bits(labels: frozenset[str], seed: int) -> Target:
    """Fair coins as keys, and a system that opens what was sealed, once."""
    seen, oracle = _disclosed(_RandomKeys(seed).read, (_KEYS, _LONG_BITS))
    seen = replace(seen, system=IdealSystem(seed), seed=seed)
    return Target("control: random bits", MUST_STAND, seen, oracle, labels)


def _disclosed(read_key: _ReadKey, size: tuple[int, int]) -> tuple[Seen, SoftwareOracle]:
    """Return what adversaries get of a control, and who knows the rest. `size`: how many keys; bits of the long one."""
    keys, long_bits = size
    everything = letters(_LETTERS, _LETTER_SEED)
    texts = [letter for letter in everything if letter.cipher == "vernam" and letter.number != FROM_CAGE]
    first_keys = np.stack([read_key(index, 0, KEY_BITS) for index in range(1, keys + 1)])
    messages = tuple(_encrypted(letter, read_key) for letter in texts)
    seen = Seen(DIGITS, first_keys, read_key(keys + 1, 0, long_bits), messages)
    return seen, SoftwareOracle(read_key, texts)


def _encrypted(letter: Letter, read_key: _ReadKey) -> Intercepted:
    """Return a letter XOR the key of its number: Vernam's cipher, as the paper has it."""
    key = np.packbits(read_key(letter.number, 0, 8 * len(letter.text)))
    text = np.frombuffer(letter.text, np.uint8)
    return Intercepted(letter.number, (text ^ key).tobytes(), 0)
