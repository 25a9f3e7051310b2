# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What came of whatever was to be shown: one class, from a stage to the report."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

HELD, FAILED, NOT_SHOWN = "held", "failed", "not shown"
_IN_JSON = {HELD: True, FAILED: False, NOT_SHOWN: None}


@dataclass(frozen=True)
class Outcome:
    """It held, it failed, or that was not shown (`word`); and the reason, "" where there is nothing to say."""

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
        """Return that it held or failed."""
        return cls(HELD if holds else FAILED, reason)

    @property
    def in_json(self) -> bool | None:
        """The word as JSON has it: true, false, null."""
        return _IN_JSON[self.word]


@dataclass(frozen=True)
class Check:
    """One thing that had to hold, and what came of it."""

    name: str
    outcome: Outcome

    def line(self) -> str:
        """Return a line for a screen; what did not hold stands out."""
        word, reason = self.outcome.word, self.outcome.reason
        return f"{word if word == HELD else word.upper():10}{self.name}" + (f" ({reason})" if reason else "")

    def row(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {"name": self.name, "held": self.outcome.in_json, "detail": self.outcome.reason}


def worst(outcomes: Iterable[Outcome]) -> str:
    """Return the word for all of them together: one that failed outweighs what was not shown, and that the rest."""
    words = {outcome.word for outcome in outcomes}
    return next((word for word in (FAILED, NOT_SHOWN) if word in words), HELD)


def worst_of(checks: Iterable[Check]) -> str:
    """Return the word for all checks together."""
    return worst(check.outcome for check in checks)
