# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The report's words for outcomes, each with a kind that determines its colour and sign."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

GOOD, BAD, OPEN = "good", "bad", "open"
_SIGNS = {GOOD: "\N{CHECK MARK}", BAD: "\N{BALLOT X}", OPEN: "\N{EN DASH}"}
UNITS, MUST_FALL, MUST_STAND = "units", "must fall", "must stand"
_VERDICTS = {"APPROVED": GOOD, "NOT APPROVED": BAD}
_REQUIREMENTS = {"met": GOOD, "not met": BAD, "not shown": OPEN}
_OUTCOMES = {  # (role, succeeded)
    (UNITS, True): ("BROKEN", BAD),
    (UNITS, False): ("withstood", GOOD),
    (MUST_FALL, True): ("fell, as it must", GOOD),
    (MUST_FALL, False): ("UNEXPECTED: it stood", BAD),
    (MUST_STAND, True): ("UNEXPECTED: it fell", BAD),
    (MUST_STAND, False): ("stood, as it must", GOOD),
}


@dataclass(frozen=True)
class Word:
    """A word of judgement."""

    text: str
    kind: str

    @property
    def sign(self) -> str:
        """The sign that distinguishes the kinds without colour."""
        return _SIGNS[self.kind]


def verdict(report: Mapping[str, Any]) -> Word:
    """Return the word for the verdict; an unknown one never looks like approval."""
    text = str(report.get("verdict") or "NO VERDICT")
    return Word(text, _VERDICTS.get(text, OPEN))


def requirement(row: Mapping[str, Any]) -> Word:
    """Return the word for a requirement."""
    text = str(row.get("verdict") or "not shown")
    return Word(text, _REQUIREMENTS.get(text, OPEN))


def outcome(target: Mapping[str, Any], finding: Mapping[str, Any]) -> Word:
    """Return the word for an attack on a target."""
    role, succeeded = target.get("role"), finding.get("succeeded")
    if succeeded is None:
        return Word("not run", OPEN)
    if role == MUST_FALL and not succeeded and target.get("as_expected"):
        return Word("stood, as it may", OPEN)  # not every attack on a control has to succeed
    text, kind = _OUTCOMES.get((str(role), bool(succeeded)), ("fell" if succeeded else "stood", OPEN))
    return Word(text, kind)


def target_word(target: Mapping[str, Any]) -> Word:
    """Return the word for a target as a whole."""
    findings = target.get("findings") or ()
    if target.get("role") == UNITS:
        fell = sum(finding.get("succeeded") is True for finding in findings)
        stood = sum(finding.get("succeeded") is False for finding in findings)
        if fell:
            return Word(f"{fell} of {fell + stood} attacks succeeded", BAD)
        return Word(f"withstood all {stood}", GOOD) if stood else Word("not attacked", OPEN)
    return _word(target.get("as_expected"), "as expected", "NOT AS EXPECTED", "not judged")


def check(held: bool | None) -> Word:
    """Return the word for a check; None means not shown."""
    return _word(held, "held", "FAILED", "not shown")


def same(equal: bool | None) -> Word:
    """Return the word for a comparison of both sides."""
    return _word(equal, "same", "DIFFERENT", "not compared")


def passed(statistic: Mapping[str, Any]) -> Word:
    """Return the word for a statistic."""
    return _word(statistic.get("passed"), "passed", "FAILED", "not run")


def _word(is_good: Any, good: str, bad: str, otherwise: str) -> Word:
    if is_good is True:
        return Word(good, GOOD)
    return Word(bad, BAD) if is_good is False else Word(otherwise, OPEN)


def tally(judged: Iterable[Word]) -> str:
    """Count words in the order of their first appearance: "20 met, 1 not met"."""
    return ", ".join(f"{count} {text}" for text, count in Counter(word.text for word in judged).items())


@dataclass(frozen=True)
class Tile:
    """A tile of the summary: a count of good words, and the other words."""

    what: str
    count: str
    more: str
    kind: str


def tiles(report: Mapping[str, Any]) -> list[Tile]:
    """Return the tiles of the summary."""
    targets: list[Mapping[str, Any]] = report.get("targets") or []
    own = [t for t in targets if t.get("role") == UNITS]
    return [
        _tile("Requirements", [requirement(row) for row in report.get("requirements") or ()], "met"),
        _tile("Attacks on the units", [outcome(t, f) for t in own for f in t.get("findings") or ()], "withstood"),
        _tile("Controls", [target_word(t) for t in targets if t.get("role") != UNITS], "as expected"),
        _tile("Statistics", [passed(row) for row in report.get("statistics") or ()], "passed"),
    ]


def _tile(what: str, judged: list[Word], good: str) -> Tile:
    """Return a tile with the number of good words and a tally of the others."""
    others = tally(word for word in judged if word.kind != GOOD)
    kinds = {word.kind for word in judged}
    kind = BAD if BAD in kinds else OPEN if OPEN in kinds or not kinds else GOOD
    count = f"{sum(word.kind == GOOD for word in judged)} of {len(judged)} {good}" if judged else "none"
    return Tile(what, count, others, kind)
