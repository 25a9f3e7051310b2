# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Whether an expert's claims are true: the oracle compares; for what it cannot compare, the record counts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ndks_laboratory.outcome import Outcome

from ..attack import Finding, Oracle
from ..statistics.tails import upper_tail
from .claims import Claim, KeyClaim, TextClaim
from .expert_finding import ExpertFinding

NOTHING = "nothing"
_SHOWN = 60  # characters of a claim
_SECONDS = 3600


def judge_experts(findings: Sequence[ExpertFinding], network_id: str, oracle: Oracle) -> dict[str, Finding]:
    """Return what each claim comes to, by labels H1, H2 ...; an expert without claims has one, too.

    `network_id` is that of this run: claims about another one can no longer be compared.
    """
    guesses = sum(isinstance(claim, KeyClaim) for finding in findings for claim in finding.claims)
    judged: list[Finding] = []
    for finding in findings:
        asked = oracle if finding.network_id in ("", network_id) else None
        judged += list(_judged(finding, asked, guesses)) or [_of(finding, NOTHING, Outcome.held("decoded nothing"))]
    return {f"H{number}": found for number, found in enumerate(judged, start=1)}


def claimed(findings: Mapping[str, Finding], *kinds: str) -> list[str]:
    """Return the labels of the experts' claims of these kinds, and of experts who claim nothing."""
    return [label for label, found in findings.items() if found.details.get("claim") in (*kinds, NOTHING)]


def _judged(finding: ExpertFinding, oracle: Oracle | None, guesses: int) -> Iterator[Finding]:
    for claim in finding.claims:
        if oracle and isinstance(claim, TextClaim):
            is_true = oracle.compare_text(claim.number, claim.text.encode())
            yield _of(finding, claim.kind, _compared(claim, is_true), claim)
        elif oracle and isinstance(claim, KeyClaim):
            yield _key(finding, claim, oracle, guesses)
        else:
            yield _of(finding, claim.kind, _as_recorded(claim), claim)


def _key(finding: ExpertFinding, claim: KeyClaim, oracle: Oracle, guesses: int) -> Finding:
    """Return a finding whose p-value is the chance of guessing as many bits, over all guesses; a limit decides."""
    bits = np.frombuffer(claim.bits.encode(), np.uint8) - ord("0")
    right = oracle.compare_bits(claim.index, claim.first, bits) or 0
    p_value = min(1.0, guesses * 10.0 ** float(upper_tail(right, len(bits), 0.5)[0]))
    reason = f"{right} of {len(bits)} bits of key {claim.index} are right, from element {claim.first} on"
    return _of(finding, claim.kind, Outcome.held(reason), claim, p_value)


def _compared(claim: TextClaim, is_true: bool) -> Outcome:
    what = f"text of message {claim.number}: {_shortened(claim.text)}"
    return Outcome.failed(f"read the {what}") if is_true else Outcome.held(f"this is not the {what}")


def _as_recorded(claim: Claim) -> Outcome:
    """Return what the head of the test has decided."""
    what = f"{_in_words(claim)} (as recorded; not compared here)"
    if claim.confirmed is None:
        return Outcome.not_shown(f"not decided: {what}")
    return Outcome.failed(f"confirmed: {what}") if claim.confirmed else Outcome.held(f"refuted: {what}")


def _in_words(claim: Claim) -> str:
    if isinstance(claim, TextClaim):
        return f"text of message {claim.number}: {_shortened(claim.text)}"
    if isinstance(claim, KeyClaim):
        return f"{len(claim.bits)} bits of key {claim.index}, from element {claim.first} on"
    return _shortened(claim.claim)


def _shortened(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def _of(
    finding: ExpertFinding, kind: str, outcome: Outcome, claim: Claim | None = None, p_value: float | None = None
) -> Finding:
    details: dict[str, Any] = {"claim": kind, "date": finding.date, "given": list(finding.given)}
    if claim:
        details["confirmed"] = claim.confirmed
    if finding.network_id:
        details["network_id"] = finding.network_id
    tests = int(p_value is not None)
    return Finding(f"human expert: {finding.expert}", outcome, finding.hours * _SECONDS, p_value, tests, details)
