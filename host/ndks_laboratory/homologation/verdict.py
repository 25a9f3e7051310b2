# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""From findings to a verdict.

Random bits may be called anything else once in 10^6 homologations: that is shared out among all p-values that count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .attack import Finding
from .controls import MUST_FALL, Target
from .evidence import Evidence
from .requirements import REQUIREMENTS, Requirement

ALPHA = 1e-6  # false alarms a homologation
APPROVED, NOT_APPROVED, NO_VERDICT = "APPROVED", "NOT APPROVED", "NO VERDICT"
_WORDS = {True: "met", False: "not met", None: "not shown"}


@dataclass(frozen=True)
class Judged:
    """A requirement and what came of it: met, not met, not shown."""

    requirement: Requirement
    verdict: str
    evidence: str


@dataclass(frozen=True)
class Attacked:
    """A target, and what all of its attackers found; `succeeded` is final. `as_expected` is None for the units."""

    name: str
    role: str
    findings: dict[str, Finding]
    as_expected: bool | None = None


def threshold(p_values: int) -> float:
    """Return below what a p-value of random bits will be once in 1 / ALPHA homologations that have so many."""
    return ALPHA / max(1, p_values)


def decide(finding: Finding, limit: float) -> Finding:
    """Return the finding with the final word on whether it shows anything."""
    if finding.p_value is None or finding.succeeded is None:
        return finding
    return replace(finding, succeeded=finding.p_value < limit)


def check_control(target: Target, findings: dict[str, Finding]) -> Attacked:
    """Tell whether a control came out as it has to."""
    wanted = target.role == MUST_FALL
    enough = all if target.all_must else any
    as_expected = findings.keys() == target.labels and enough(f.succeeded is wanted for f in findings.values())
    return Attacked(target.name, target.role, findings, as_expected)


def judge(evidence: Evidence) -> list[Judged]:
    """Judge each requirement."""
    judged: list[Judged] = []
    for requirement in REQUIREMENTS:
        held, words = requirement.judge(evidence)
        judged.append(Judged(requirement, _WORDS[held], words))
    return judged


def verdict(judged: Sequence[Judged], controls: Sequence[Attacked], units: Attacked) -> tuple[str, list[str]]:
    """Return the verdict and its reasons."""
    surprises = [_surprise(control) for control in controls if not control.as_expected]
    if surprises:
        return NO_VERDICT, surprises
    if not controls or [each.requirement for each in judged] != list(REQUIREMENTS):
        return NO_VERDICT, ["Not everything was tested: requirements or controls are missing."]
    broken = [(label, f) for label, f in units.findings.items() if f.succeeded]
    missed = [each for each in judged if each.verdict != "met"]
    if broken or missed:
        attacks = [f"{label} {f.adversary}, in {f.seconds:.2g} s: {f.summary}" for label, f in broken]
        return NOT_APPROVED, [*attacks, *(f"{m.requirement.id} {m.verdict}: {m.requirement.text}" for m in missed)]
    all_made = all(f.succeeded is False for f in units.findings.values())
    attacks = "every attack" if all_made else "every attack that can be made at this d"
    met = f"All {len(judged)} requirements are met; {attacks} was withstood; all controls as expected."
    return APPROVED, [met, "This shows what these attackers could not do; it is no proof."]


def _surprise(control: Attacked) -> str:
    wanted = control.role == MUST_FALL
    wrong = [f"{label} ({f.summary})" for label, f in control.findings.items() if f.succeeded is not wanted]
    return f"{control.name} {control.role}, but: {'; '.join(wrong)}"
