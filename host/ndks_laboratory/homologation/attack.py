# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Adversaries, their knowledge, the oracle, and findings.

An adversary gets the data that an attacker would have (`Seen`), and submits predictions to the `Oracle`, which alone
knows the hidden data. Against random bits no adversary may succeed; `Finding.p_value` bounds success by chance.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ndks_laboratory import times
from ndks_laboratory.outcome import FAILED, HELD, NOT_SHOWN, Outcome

Bits = npt.NDArray[np.uint8]  # one key bit per element, 0 or 1

# What an adversary may need, and a target may offer.
CIPHERTEXTS = "ciphertexts"
KEYS = "keys"
LONG_KEY = "a long key"
SYSTEM = "the system itself"  # its channel, cable, units and flash
NETWORK = "a network of three or more units"


class OutOfTime(Exception):
    """The adversary has used up its time."""


@dataclass(frozen=True)
class Intercepted:
    """The ciphertext of a message: cipher `vernam`, English text in ASCII.

    Byte i was encrypted with the eight key elements from `first_element` + 8 i on.
    """

    number: int
    ciphertext: bytes = field(repr=False)
    first_element: int


@dataclass(frozen=True)
class Seen:
    """The data of an adversary. The network's d and the algorithm are public (Kerckhoffs)."""

    digits: int
    keys: Bits  # shape (number of keys, bits): the beginnings of keys 1, 2, 3, ...
    long_key: Bits  # the beginning of the next key
    messages: tuple[Intercepted, ...]
    system: Any = None  # a `ndks_laboratory.homologation.system.System`, for active adversaries
    network: Any = None  # a `ndks_laboratory.homologation.networks.system.NetworkSystem`
    seed: int = 0  # of the adversary's random choices
    deadline: float = float("inf")  # of the attack, by time.monotonic()

    def check_time(self) -> None:
        """Raise OutOfTime after the deadline; long searches call this from time to time."""
        if time.monotonic() > self.deadline:
            raise OutOfTime

    @property
    def long_key_index(self) -> int:
        return len(self.keys) + 1

    @property
    def has(self) -> frozenset[str]:
        """The kinds of data that are present."""
        present = {
            CIPHERTEXTS: bool(self.messages),
            KEYS: bool(self.keys.size),
            LONG_KEY: bool(self.long_key.size),
            SYSTEM: self.system is not None,
            NETWORK: self.network is not None,
        }
        return frozenset(what for what, is_there in present.items() if is_there)


class Oracle(Protocol):
    """Knows the hidden data, and answers one query for each prediction of an adversary."""

    def compare_bits(self, index: int, first: int, bits: Bits) -> int | None:
        """Return the number of correct bits of key `index` from element `first` on; None if the key is unavailable."""
        ...

    def compare_text(self, number: int, text: bytes) -> bool:
        """Return whether this is the text of message `number`."""
        ...


@dataclass(frozen=True)
class Finding:
    """The result of an attack: the target held or failed, with a reason of one line for the report.

    `p_value` is an upper bound of the probability of such a result on random bits, over all `tests` (1 if nothing was
    tested). It is None if success cannot be due to chance, such as a text read or a message forged.
    """

    adversary: str
    outcome: Outcome  # of the target
    seconds: float = 0.0
    p_value: float | None = None
    tests: int = 0
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])  # plain values, for report.json

    @property
    def succeeded(self) -> bool | None:
        """Whether the attack succeeded; None if it was not completed."""
        return _SUCCESSES[self.outcome.word]

    def row(self) -> dict[str, Any]:
        """Return plain values, for report.json."""
        own = {name: getattr(self, name) for name in ("seconds", "p_value", "tests", "details")}
        return {"adversary": self.adversary, "succeeded": self.succeeded, "summary": self.outcome.reason, **own}


_SUCCESSES = {HELD: False, FAILED: True, NOT_SHOWN: None}


class Adversary(ABC):
    """One attack."""

    name: str  # in the report
    label: str  # short and unique: "A1", "A2" ...
    needs: frozenset[str]
    budget: float = times.BUDGET  # seconds

    @abstractmethod
    def run(self, seen: Seen, oracle: Oracle) -> Finding:
        """Attack. May raise OutOfTime."""

    def attack(self, seen: Seen, oracle: Oracle) -> Finding:
        """Run the attack within its budget, if the data that it needs is present, and measure the time."""
        missing = sorted(self.needs - seen.has)
        if missing:
            return Finding(self.name, Outcome.not_shown(f"not run: needs {', '.join(missing)}"))
        start = time.monotonic()
        try:
            finding = self.run(replace(seen, deadline=start + self.budget), oracle)
        except OutOfTime:
            finding = Finding(self.name, Outcome.not_shown(f"gave up after {self.budget:g} s, which proves nothing"))
        return replace(finding, seconds=time.monotonic() - start)
