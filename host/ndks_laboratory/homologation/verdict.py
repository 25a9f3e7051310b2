# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The verdict of a homologation.

The chance of a false alarm on random bits, over all p-values, is at most 10^-6 per homologation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ndks_laboratory.outcome import FAILED, HELD, NOT_SHOWN, Outcome

from .attack import Finding
from .controls import MUST_FALL, MUST_STAND, Target
from .evidence import Evidence
from .requirements import REQUIREMENTS, Requirement

_NO_CONTROL = Outcome.not_shown("the units are not a control")
_WANTED = {MUST_FALL: FAILED, MUST_STAND: HELD}

_HOUR = 3600
ALPHA = 1e-6  # false alarms per homologation
PAIR, NETWORK = "pair", "network"  # what units are judged as
_PAIR = 2
APPROVED, NOT_APPROVED, NO_VERDICT = "APPROVED", "NOT APPROVED", "NO VERDICT"
_WORDS = {HELD: "met", FAILED: "not met", NOT_SHOWN: "not shown"}


@dataclass(frozen=True)
class Judged:
    """A requirement and its outcome."""

    requirement: Requirement
    outcome: Outcome

    @property
    def verdict(self) -> str:
        """Met, not met, or not shown."""
        return _WORDS[self.outcome.word]


@dataclass(frozen=True)
class Attacked:
    """A target and the final findings of its adversaries; `expected`: whether a control has its required outcome."""

    name: str
    role: str
    findings: dict[str, Finding]
    expected: Outcome = _NO_CONTROL


@dataclass(frozen=True)
class Verdict:
    """The verdict, its reasons and its basis."""

    word: str
    reasons: tuple[str, ...]
    judged: tuple[Judged, ...]
    attacked: tuple[Attacked, ...]  # the units first, then the controls


def threshold(p_values: int) -> float:
    """Return the limit below which one of `p_values` p-values of random bits falls with probability ALPHA at most."""
    return ALPHA / max(1, p_values)


def decide(finding: Finding, limit: float) -> Finding:
    """Return the finding with its final outcome; the limit decides if it has a p-value."""
    if finding.p_value is None or finding.outcome.word == NOT_SHOWN:
        return finding
    return replace(finding, outcome=Outcome.of(finding.p_value >= limit, finding.outcome.reason))


def check_control(target: Target, findings: dict[str, Finding]) -> Attacked:
    """Check whether a control has its required outcome."""
    enough = all if target.all_must else any
    as_wanted = enough(found.outcome.word == _WANTED[target.role] for found in findings.values())
    expected = Outcome.of(findings.keys() == target.labels and as_wanted)
    return Attacked(target.name, target.role, findings, expected)


def judge(evidence: Evidence) -> list[Judged]:
    """Judge each requirement."""
    return [Judged(requirement, requirement.judge(evidence)) for requirement in REQUIREMENTS]


def asked_of(units: int) -> str:
    """Return whether this many units are judged as a pair or as a network."""
    return NETWORK if any(units >= each.units > _PAIR for each in REQUIREMENTS) else PAIR


def decided(judged: Sequence[Judged], attacked: Sequence[Attacked], units: int = _PAIR) -> Verdict:
    """Return the verdict on this many units; `attacked` are the units and then the controls.

    A requirement that needs more units is not asked: a pair gets its verdict by the others.
    """
    word, reasons = _decided(judged, attacked[0], attacked[1:], units)
    return Verdict(word, tuple(reasons), tuple(judged), tuple(attacked))


def _decided(
    judged: Sequence[Judged], attacked: Attacked, controls: Sequence[Attacked], units: int
) -> tuple[str, list[str]]:
    surprises = [_surprise(control) for control in controls if control.expected.word != HELD]
    if surprises:
        return NO_VERDICT, surprises
    if not controls or [each.requirement for each in judged] != list(REQUIREMENTS):
        return NO_VERDICT, ["Not everything was tested: requirements or controls are missing."]
    asked = [each for each in judged if each.requirement.units <= units]
    broken = [(label, found) for label, found in attacked.findings.items() if found.outcome.word == FAILED]
    missed = [each for each in asked if each.outcome.word != HELD]
    if broken or missed:
        attacks = [f"{label} {f.adversary}, in {in_words(f.seconds)}: {f.outcome.reason}" for label, f in broken]
        return NOT_APPROVED, [*attacks, *(f"{m.requirement.id} {m.verdict}: {m.requirement.text}" for m in missed)]
    all_made = all(found.outcome.word == HELD for found in attacked.findings.values())
    attacks = "every attack" if all_made else "every attack that is possible at this d"
    which = (
        f"All {len(asked)} requirements" if len(asked) == len(judged) else f"All {len(asked)} requirements on a pair"
    )
    met = f"{which} are met; {attacks} was withstood; all controls as expected."
    return APPROVED, [
        met,
        *_not_asked(judged, units),
        "This shows what these adversaries could not do; it is not a proof.",
    ]


def _not_asked(judged: Sequence[Judged], units: int) -> list[str]:
    """Say which requirements were not asked because there were too few units."""
    ids = [each.requirement.id for each in judged if each.requirement.units > units]
    return [f"{ids[0]} to {ids[-1]} are asked of three or more units, and were not tested."] if ids else []


def in_words(seconds: float) -> str:
    """Return how long an attack took; people take hours."""
    return f"{seconds:.2g} s" if seconds < _HOUR else f"{seconds / _HOUR:.3g} h"


def _surprise(control: Attacked) -> str:
    wanted, findings = _WANTED[control.role], control.findings.items()
    wrong = [f"{label} ({found.outcome.reason})" for label, found in findings if found.outcome.word != wanted]
    return f"{control.name} {control.role}, but: {'; '.join(wrong)}"
