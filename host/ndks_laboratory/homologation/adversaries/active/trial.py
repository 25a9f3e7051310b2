# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Trials of active adversaries, with counts of refusals and a list of breaks."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from ndks.exceptions import NdksError
from ndks_laboratory import times
from ndks_laboratory.homologation.attack import SYSTEM, Adversary, Finding, Oracle, OutOfTime, Seen
from ndks_laboratory.homologation.networks.system import NetworkSystem
from ndks_laboratory.homologation.system import ALICE, BOB, Refusal, System
from ndks_laboratory.outcome import Outcome

_SHOWN = 24  # bytes of a text
_BEFORE = 4  # of these bytes, those before the first difference
_DRAWS = b"active adversaries"  # combined with the seed: a random stream for these adversaries only


class Unusable(Exception):
    """Honest messages are refused as well, so there is nothing to attack."""


class Trial:
    """One attack on one system: number of tries, refusals by code, and breaks."""

    def __init__(self, seen: Seen) -> None:
        self.system: System = seen.system
        self.network: NetworkSystem = seen.network
        self.random = np.random.default_rng((seen.seed, *_DRAWS))
        self.breaks: list[str] = []
        self.tries = 0
        self._seen = seen
        self._refusals: Counter[str] = Counter()

    @property
    def details(self) -> dict[str, Any]:
        """Return the numbers for the report."""
        return {"tries": self.tries, "refusals": dict(sorted(self._refusals.items())), "successes": len(self.breaks)}

    def attempt(self, try_it: Callable[[], bytes]) -> bytes | None:
        """Return the result of an attempt, or None if it was refused."""
        self._seen.check_time()
        self.tries += 1
        try:
            return try_it()
        except Refusal as refusal:
            self._refusals[refusal.code] += 1
            return None

    def unsealed(self, capsule: bytes, *, at: str = BOB, mode: str = "b") -> bytes | None:
        """Return the text of a capsule that must be refused, or None if it is."""
        return self.attempt(lambda: self.system.unseal(capsule, at=at, mode=mode))

    def forged(self, what: str, capsule: bytes, sent: bytes, *, mode: str = "b", width: int = _SHOWN) -> bool:
        """Return whether Bob accepts a forged capsule, which is a break whatever its text."""
        text = self.unsealed(capsule, mode=mode)
        if text is None:
            return False
        start = _first_difference(sent, text)
        came_out = "the same text" if text == sent else shown(text[start:], width)
        self.breaks.append(f"{what}: {shown(sent[start:], width)} became {came_out}")
        return True

    def seal(self, text: bytes, *, by: str = ALICE, cipher: str = "vernam", mode: str = "b") -> bytes:
        """Return an honest capsule. Unusable."""
        self._seen.check_time()
        try:
            return self.system.seal(text, by=by, cipher=cipher, mode=mode)
        except Refusal as refusal:
            raise Unusable(f"no message can be sealed: {refusal.code}") from None

    def deliver(self, capsule: bytes, text: bytes, *, mode: str = "b") -> None:
        """Make Bob open an honest capsule. Unusable."""
        self._seen.check_time()
        try:
            if self.system.unseal(capsule, mode=mode) == text:
                return
        except Refusal as refusal:
            raise Unusable(f"an honest message is refused: {refusal.code}") from None
        raise Unusable("an honest message came out as another one")

    @property
    def refused(self) -> str:
        """The refusals as text: "24 AUTH, 2 HEADER"."""
        return ", ".join(f"{count} {code}" for code, count in self._refusals.most_common())


class ActiveAdversary(Adversary):
    """An adversary who needs only the system."""

    needs = frozenset({SYSTEM})
    budget = times.ACTIVE_BUDGET  # seconds
    withstood = "none of {tries} forgeries was accepted: {refused}"  # the summary of a failed attack

    def __init__(self, label: str, name: str) -> None:
        self.label = label
        self.name = name

    @abstractmethod
    def act(self, trial: Trial) -> str | None:
        """Attack, and add each success to `trial.breaks`; return a reason if nothing could be tried. Unusable."""

    def run(self, seen: Seen, oracle: Oracle) -> Finding:  # noqa: ARG002 (successes need no oracle)
        trial = Trial(seen)
        no_verdict = _no_verdict(self.act, trial)
        if trial.breaks:
            more = len(trial.breaks) - 1
            summary = trial.breaks[0] + (f" (and {more} more)" if more else "")
            return Finding(self.name, Outcome.failed(summary), details=trial.details | {"breaks": trial.breaks[:20]})
        if no_verdict:
            return Finding(self.name, Outcome.not_shown(no_verdict), details=trial.details)
        summary = self.withstood.format(tries=trial.tries, refused=trial.refused)
        return Finding(self.name, Outcome.held(summary), details=trial.details)


def _no_verdict(act: Callable[[Trial], str | None], trial: Trial) -> str:
    """Run an attack; return why it proves nothing, or "". Raises NdksError, unless there are breaks."""
    try:
        reason = act(trial)
    except OutOfTime:
        return f"gave up after {trial.tries} tries, none accepted"
    except Unusable as unusable:
        reason = str(unusable)
    except Refusal as refusal:
        reason = f"an honest request is refused: {refusal.code}"
    except NdksError:
        if trial.breaks:  # they count even if the unit has disappeared
            return ""
        raise
    return f"not run: {reason}" if reason else ""


def shown(text: bytes, width: int = _SHOWN) -> str:
    """Return the beginning of a text in quotes, with non-ASCII bytes escaped."""
    return '"' + "".join(chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}" for byte in text[:width]) + '"'


def _first_difference(one: bytes, other: bytes) -> int:
    """Return the position from which to show two texts: shortly before they differ or one ends."""
    differ = (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return max(0, next(differ, min(len(one), len(other))) - _BEFORE)
