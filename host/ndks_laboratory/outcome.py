# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Outcomes of checks, attacks and requirements."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

HELD, FAILED, NOT_SHOWN = "held", "failed", "not shown"
_IN_JSON = {HELD: True, FAILED: False, NOT_SHOWN: None}


@dataclass(frozen=True)
class Outcome:
    """An outcome: `word` is held, failed or not shown; `reason` may be empty."""

    word: str
    reason: str = ""

    @classmethod
    def held(cls, reason: str = "") -> Self:
        return cls(HELD, reason)

    @classmethod
    def failed(cls, reason: str = "") -> Self:
        return cls(FAILED, reason)

    @classmethod
    def not_shown(cls, reason: str = "") -> Self:
        return cls(NOT_SHOWN, reason)

    @classmethod
    def of(cls, holds: bool, reason: str = "") -> Self:
        """Return held or failed."""
        return cls(HELD if holds else FAILED, reason)

    @property
    def in_json(self) -> bool | None:
        """The word in JSON: true, false or null."""
        return _IN_JSON[self.word]


@dataclass(frozen=True)
class Check:
    """A condition that must hold, and its outcome."""

    name: str
    outcome: Outcome

    def line(self) -> str:
        """Return a line for the screen, with outcomes other than held in capitals."""
        word, reason = self.outcome.word, self.outcome.reason
        return f"{word if word == HELD else word.upper():10}{self.name}" + (f" ({reason})" if reason else "")

    def row(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {"name": self.name, "held": self.outcome.in_json, "detail": self.outcome.reason}


def worst(outcomes: Iterable[Outcome]) -> str:
    """Return failed if any outcome failed, else not shown if any was not shown, else held."""
    words = {outcome.word for outcome in outcomes}
    return next((word for word in (FAILED, NOT_SHOWN) if word in words), HELD)


def worst_of(checks: Iterable[Check]) -> str:
    """Return the worst word of all checks."""
    return worst(check.outcome for check in checks)
