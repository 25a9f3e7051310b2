# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What an adversary is, what he sees, and who says whether he succeeded.

An adversary gets what adversaries would get (`Seen`), and shows what he makes of it to the `Oracle`, who alone knows
what was not disclosed. On random bits nobody may succeed; `Finding.p_value` says how unlikely a success by chance is.
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

Bits = npt.NDArray[np.uint8]  # 0 or 1, one key bit an element

# What a target may have for adversaries.
CIPHERTEXTS = "ciphertexts"
KEYS = "keys"
LONG_KEY = "a long key"
SYSTEM = "the system itself"  # to send messages through, to plug units into other laptops


class OutOfTime(Exception):
    """The adversary's budget of time is spent."""


@dataclass(frozen=True)
class Intercepted:
    """A message of which only the ciphertext is known: cipher `vernam`, English text in ASCII.

    Its byte i was encrypted with the key's elements `first_element` + 8 i and following.
    """

    number: int
    ciphertext: bytes = field(repr=False)
    first_element: int


@dataclass(frozen=True)
class Seen:
    """What adversaries have. The network's d and the whole of the algorithm are public (Kerckhoffs)."""

    digits: int
    keys: Bits  # shape (number of keys, bits): the beginnings of keys 1, 2, 3, ...
    long_key: Bits  # the beginning of the key after these
    messages: tuple[Intercepted, ...]
    system: Any = None  # a `ndks_laboratory.homologation.system.System`, for active adversaries
    seed: int = 0  # of all that an adversary draws at random
    deadline: float = float("inf")  # time.monotonic() at which he has to stop

    def check_time(self) -> None:
        """Raise OutOfTime when the budget is spent; long searches call this from time to time."""
        if time.monotonic() > self.deadline:
            raise OutOfTime

    @property
    def long_key_index(self) -> int:
        return len(self.keys) + 1

    @property
    def has(self) -> frozenset[str]:
        """What adversaries have."""
        present = {
            CIPHERTEXTS: bool(self.messages),
            KEYS: bool(self.keys.size),
            LONG_KEY: bool(self.long_key.size),
            SYSTEM: self.system is not None,
        }
        return frozenset(what for what, is_there in present.items() if is_there)


class Oracle(Protocol):
    """Knows the truth; asked once for each thing that an adversary claims to know."""

    def compare_bits(self, index: int, first: int, bits: Bits) -> int | None:
        """Return how many of these elements of key `index`, from `first` on, are right; None if nobody has them."""
        ...

    def compare_text(self, number: int, text: bytes) -> bool:
        """Tell whether this is the text of message `number`."""
        ...


@dataclass(frozen=True)
class Finding:
    """What came of an attack: the target held (withstood it), or failed; the reason is one line, for the report.

    `p_value`: how likely random bits would have shown as much (an upper bound), over all of the `tests` that were made
    (1 when nothing was tested); None where success is no matter of chance: a text read, a message forged.
    """

    adversary: str
    outcome: Outcome  # of the target
    seconds: float = 0.0
    p_value: float | None = None
    tests: int = 0
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])  # plain values, for report.json

    @property
    def succeeded(self) -> bool | None:
        """Whether the attack did; None when it was not run to its end."""
        return _SUCCESSES[self.outcome.word]

    def row(self) -> dict[str, Any]:
        """Return plain values, for report.json."""
        own = {name: getattr(self, name) for name in ("seconds", "p_value", "tests", "details")}
        return {"adversary": self.adversary, "succeeded": self.succeeded, "summary": self.outcome.reason, **own}


_SUCCESSES = {HELD: False, FAILED: True, NOT_SHOWN: None}


class Adversary(ABC):
    """One attack."""

    name: str  # as the report names it
    label: str  # short, unique: "A1", "A2" ...
    needs: frozenset[str]
    budget: float = times.BUDGET  # seconds

    @abstractmethod
    def run(self, seen: Seen, oracle: Oracle) -> Finding:
        """Attack. May raise OutOfTime."""

    def attack(self, seen: Seen, oracle: Oracle) -> Finding:
        """Run within the budget, if everything is there that this attack needs; measure the time."""
        missing = sorted(self.needs - seen.has)
        if missing:
            return Finding(self.name, Outcome.not_shown(f"not run: needs {', '.join(missing)}"))
        start = time.monotonic()
        try:
            finding = self.run(replace(seen, deadline=start + self.budget), oracle)
        except OutOfTime:
            finding = Finding(self.name, Outcome.not_shown(f"gave up after {self.budget:g} s, which shows nothing"))
        return replace(finding, seconds=time.monotonic() - start)
