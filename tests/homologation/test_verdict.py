# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the verdict for given findings."""

import pytest

from ndks_laboratory.homologation.attack import Finding
from ndks_laboratory.homologation.controls import MUST_FALL, MUST_STAND, Target
from ndks_laboratory.homologation.judgements import judge_attacks
from ndks_laboratory.homologation.requirements import REQUIREMENTS
from ndks_laboratory.homologation.verdict import (
    ALPHA,
    APPROVED,
    NETWORK,
    NO_VERDICT,
    NOT_APPROVED,
    PAIR,
    Attacked,
    Judged,
    asked_of,
    check_control,
    decide,
    decided,
    threshold,
)
from ndks_laboratory.outcome import FAILED, HELD, Outcome

READ = Finding("reader", Outcome.failed("read a text"), 0.1)
STOOD = Finding("reader", Outcome.held("read nothing"), 0.1)
SKIPPED = Finding("reader", Outcome.not_shown("not run: needs keys"))


MET = Outcome.held()


def attacked(finding: Finding) -> Attacked:
    return Attacked("target", "units", {"A1": finding})


def judged(first: Outcome) -> list[Judged]:
    """Return all requirements as met, except for the first one."""
    return [Judged(REQUIREMENTS[0], first), *(Judged(other, MET) for other in REQUIREMENTS[1:])]


def verdict(judged: list[Judged], controls: list[Attacked], units: Attacked, count: int = 2) -> tuple[str, list[str]]:
    found = decided(judged, [units, *controls], count)
    return found.word, list(found.reasons)


def control(finding: Finding, role: str) -> Attacked:
    target = Target("target", role, seen=None, oracle=None, labels=frozenset({"A1"}))  # type: ignore[arg-type]
    return check_control(target, {"A1": finding})


GOOD = [control(READ, MUST_FALL), control(STOOD, MUST_STAND)]


def test_approved_only_if_all_is_met_and_withstood() -> None:
    assert verdict(judged(MET), GOOD, attacked(STOOD))[0] == APPROVED
    assert "every attack was withstood" in verdict(judged(MET), GOOD, attacked(STOOD))[1][0]


def test_a_pair_has_its_verdict_without_what_only_networks_show() -> None:
    beyond = [
        each if each.requirement.units <= 2 else Judged(each.requirement, Outcome.not_shown()) for each in judged(MET)
    ]
    result, reasons = verdict(beyond, GOOD, attacked(STOOD))
    assert result == APPROVED
    assert reasons[0].startswith("All 24 requirements on a pair are met")
    assert reasons[1] == "R25 to R36 are asked of three or more units, and were not tested."
    result, reasons = verdict(beyond, GOOD, attacked(STOOD), 3)
    assert result == NOT_APPROVED
    assert len(reasons) == 12
    assert verdict(judged(MET), GOOD, attacked(STOOD), 3)[1][0].startswith("All 36 requirements are met")
    assert [asked_of(count) for count in (2, 3, 4)] == [PAIR, NETWORK, NETWORK]


def test_an_attack_that_cannot_be_made_at_this_d_is_not_called_withstood() -> None:
    result, reasons = verdict(judged(MET), GOOD, attacked(SKIPPED))
    assert result == APPROVED
    assert "every attack that is possible at this d was withstood" in reasons[0]


@pytest.mark.parametrize(("outcome", "word"), [(Outcome.failed(), "not met"), (Outcome.not_shown(), "not shown")])
def test_a_requirement_that_is_not_met_or_not_shown_refuses(outcome: Outcome, word: str) -> None:
    result, reasons = verdict(judged(outcome), GOOD, attacked(STOOD))
    assert result == NOT_APPROVED
    assert reasons == [f"R1 {word}: {REQUIREMENTS[0].text}"]


def test_an_attack_that_succeeds_refuses_and_is_named_with_its_time() -> None:
    result, reasons = verdict(judged(MET), GOOD, attacked(READ))
    assert result == NOT_APPROVED
    assert reasons == ["A1 reader, in 0.1 s: read a text"]


@pytest.mark.parametrize(
    ("finding", "role"), [(STOOD, MUST_FALL), (SKIPPED, MUST_FALL), (READ, MUST_STAND), (SKIPPED, MUST_STAND)]
)
def test_no_verdict_when_a_control_comes_out_otherwise(finding: Finding, role: str) -> None:
    result, reasons = verdict(judged(MET), [*GOOD, control(finding, role)], attacked(STOOD))
    assert result == NO_VERDICT
    assert reasons == [f"target {role}, but: A1 ({finding.outcome.reason})"]


def test_no_verdict_when_something_is_missing() -> None:
    assert verdict([], GOOD, attacked(STOOD))[0] == NO_VERDICT
    assert verdict(judged(MET)[:-1], GOOD, attacked(STOOD))[0] == NO_VERDICT
    assert verdict(judged(MET), [], attacked(STOOD))[0] == NO_VERDICT
    target = Target("target", MUST_STAND, seen=None, oracle=None, labels=frozenset({"A1", "A2"}))  # type: ignore[arg-type]
    assert check_control(target, {"A1": STOOD}).expected.word == FAILED


def test_one_success_is_enough_where_not_all_are_asked_for() -> None:
    labels = frozenset({"A1", "A2"})
    target = Target("target", MUST_FALL, None, None, labels, all_must=False)  # type: ignore[arg-type]
    assert check_control(target, {"A1": STOOD, "A2": READ}).expected.word == HELD
    assert check_control(target, {"A1": STOOD, "A2": SKIPPED}).expected.word == FAILED


def test_the_threshold_alone_decides_on_p_values() -> None:
    limit = threshold(10)
    assert limit == ALPHA / 10
    for p_value, succeeded in ((limit, False), (limit / 2, True), (0.5, False)):
        assert decide(Finding("a", Outcome.of(succeeded), p_value=p_value), limit).succeeded is succeeded
    assert decide(READ, limit).succeeded is True
    assert decide(SKIPPED, limit).succeeded is None


def test_one_broken_attack_outweighs_others_that_were_not_run() -> None:
    findings = {"A": READ, "B": SKIPPED, "C": STOOD}
    assert judge_attacks(findings, ["A", "B", "C"]) == Outcome.failed("A: read a text")
    assert judge_attacks(findings, ["B", "C"]) == Outcome.not_shown("B: not run: needs keys")
    assert judge_attacks(findings, ["C"]).word == HELD


def test_requirements_are_numbered_and_each_says_all() -> None:
    assert [requirement.id for requirement in REQUIREMENTS] == [f"R{i}" for i in range(1, len(REQUIREMENTS) + 1)]
    for requirement in REQUIREMENTS:
        assert requirement.text.endswith(".")
        assert requirement.test.endswith(".")
        assert requirement.source
