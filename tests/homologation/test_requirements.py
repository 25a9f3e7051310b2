# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""For each requirement: one bad piece of evidence among good ones makes this requirement fail, and no other."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from homologation.conftest import SMALL, Healthy

from ndks_laboratory.homologation import judgements, requirements
from ndks_laboratory.homologation.adversaries.roster import ACTIVE, PASSIVE
from ndks_laboratory.homologation.attack import Finding
from ndks_laboratory.homologation.evidence import Evidence
from ndks_laboratory.homologation.verdict import judge
from ndks_laboratory.outcome import HELD, Check, Outcome
from ndks_laboratory.stages.letters import FROM_CAGE

pytestmark = pytest.mark.kernel

BAD = (Check("bad", Outcome.failed()),)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judgements, "PRIMAL_BITS", SMALL.primal_bits)
    monkeypatch.setattr(judgements, "LEAST_KEYS", SMALL.keys)


def stage_1(**changes: Any) -> Callable[[Evidence], Evidence]:
    return lambda e: replace(e, no_channel=replace(e.no_channel, **changes))


def cages(**changes: Any) -> Callable[[Evidence], Evidence]:
    return lambda e: stage_1(cages=replace(e.no_channel.cages, **changes))(e)


def stage_2(**changes: Any) -> Callable[[Evidence], Evidence]:
    return lambda e: replace(e, regular=replace(e.regular, **changes))


def one_letter_lost(number: int) -> Callable[[Evidence], Evidence]:
    def change(evidence: Evidence) -> Evidence:
        carried = (replace(c, came_out=None) if c.letter.number == number else c for c in evidence.regular.carried)
        return replace(evidence, regular=replace(evidence.regular, carried=tuple(carried)))

    return change


def attack(label: str, outcome: Outcome) -> Callable[[Evidence], Evidence]:
    def change(evidence: Evidence) -> Evidence:
        finding = replace(evidence.attacks.findings[label], outcome=outcome)
        return attacks(findings={**evidence.attacks.findings, label: finding})(evidence)

    return change


def attacks(**changes: Any) -> Callable[[Evidence], Evidence]:
    return lambda e: replace(e, attacks=replace(e.attacks, **changes))


def expert(claim: str, outcome: Outcome) -> Callable[[Evidence], Evidence]:
    def change(evidence: Evidence) -> Evidence:
        found = {"H1": Finding("human expert", outcome, details={"claim": claim})}
        return attacks(findings={**evidence.attacks.findings, **found})(evidence)

    return change


def keys(part: str, **changes: Any) -> Callable[[Evidence], Evidence]:
    return lambda e: replace(e, keys=replace(e.keys, **{part: replace(getattr(e.keys, part), **changes)}))


def on_units(differ: int) -> Callable[[Evidence], Evidence]:
    return lambda e: keys("sensitivity", on_units=replace(e.keys.sensitivity.on_units, differ=differ))(e)


def no_distance(evidence: Evidence) -> Evidence:
    distances = evidence.keys.sensitivity.distances
    return keys("sensitivity", distances={**distances, "p1": distances["p1"] * 0})(evidence)


def erasure(**changes: Any) -> Callable[[Evidence], Evidence]:
    return lambda e: replace(e, erasure=replace(e.erasure, **changes))


CASES: list[tuple[Callable[[Evidence], Evidence], set[str]]] = [
    (stage_1(keys=BAD), {"R1", "R13"}),
    (cages(probed=BAD), {"R2"}),
    (cages(apart=BAD), {"R2"}),
    (cages(probed=(), apart=()), {"R2"}),
    (stage_1(deletion=BAD), {"R3"}),
    (stage_2(delivered=BAD), {"R4"}),
    (stage_2(disconnected=BAD), {"R5"}),
    (stage_2(recorded=BAD), {"R7"}),
    (one_letter_lost(FROM_CAGE), {"R3", "R6"}),
    (one_letter_lost(5), {"R6"}),
    (keys("symbol", p_value=1e-20), {"R11"}),
    (keys("symbol", equal_messages=1), {"R11"}),
    (on_units(100), {"R12"}),
    (on_units(1000), {"R12"}),
    (no_distance, {"R12"}),
    (keys("long_key", same=False), {"R14"}),
    (keys("long_key", bits=1000), {"R14"}),
    (keys("defined", same=False), {"R15"}),
    (attacks(keys_seen=10), {"R9"}),
    (attacks(long_bits_seen=1000), {"R10"}),
    (erasure(states=("blank", "not erased: REMOVED")), {"R23"}),
    (erasure(states=("blank",)), {"R23"}),
    (erasure(flash=Outcome.failed("p1")), {"R23"}),
    (attacks(unable=frozenset({"A2", "A3", "A5"})), {"R8"}),
    (expert("text", Outcome.failed()), {"R7"}),
    (expert("key", Outcome.failed()), {"R8"}),
    (expert("other", Outcome.failed()), {"R7", "R8"}),
    (expert("other", Outcome.not_shown()), {"R7", "R8"}),
    (expert("text", Outcome.held()), set()),
    (expert("nothing", Outcome.held()), set()),
]
OF_ATTACKS = {
    "A1": {"R7", "R13"},
    **{label: {"R8", "R13"} for label in ("A2", "A3", "A4", "A5", "A6")},
    "A8": {"R9", "R13"},
    "S": {"R10", "R13"},
    **{label: {"R16"} for label in ("A7a", "A7c", "A7d", "A7e")},
    **{label: {"R17"} for label in ("A7b", "A7f")},
    "A7g": {"R18"},
    "A7h": {"R19"},
    "A7i": {"R20"},
    **{label: {"R21"} for label in ("A7k", "A7l")},
    "A7j": {"R22"},
    "A7m": {"R24"},
}


def missed(evidence: Evidence) -> set[str]:
    """Return the requirements on a pair that are not met."""
    asked = (judged for judged in judge(evidence) if judged.requirement.units <= 2)
    return {judged.requirement.id for judged in asked if judged.outcome.word != HELD}


def test_healthy_units_meet_all(healthy: Healthy) -> None:
    assert missed(healthy.evidence) == set()


def test_a_pair_shows_nothing_of_networks(healthy: Healthy) -> None:
    others = [judged for judged in judge(healthy.evidence) if judged.requirement.units > 2]
    assert len(others) == 12
    assert {judged.outcome for judged in others} == {Outcome.not_shown("not run: needs 3 or more units")}


@pytest.mark.parametrize(("change", "expected"), CASES)
def test_one_bad_piece_of_evidence(
    healthy: Healthy, change: Callable[[Evidence], Evidence], expected: set[str]
) -> None:
    assert missed(change(healthy.evidence)) == expected


@pytest.mark.parametrize("outcome", [Outcome.failed(), Outcome.not_shown()])
@pytest.mark.parametrize("label", OF_ATTACKS)
def test_every_attack_counts(healthy: Healthy, label: str, outcome: Outcome) -> None:
    assert missed(attack(label, outcome)(healthy.evidence)) == OF_ATTACKS[label]


def test_every_attacker_and_every_requirement_has_a_case() -> None:
    assert set(OF_ATTACKS) == {adversary.label for adversary in (*PASSIVE, *ACTIVE)}
    covered = set().union(*(expected for _, expected in CASES), *OF_ATTACKS.values())
    assert covered == {requirement.id for requirement in requirements.REQUIREMENTS if requirement.units <= 2}


def test_attackers_that_cannot_reach_so_far_are_not_counted(healthy: Healthy) -> None:
    changed = attack("A2", Outcome.not_shown())(attack("A1", Outcome.not_shown())(healthy.evidence))
    unable = attacks(unable=frozenset({"A1", "A2"}))(changed)
    assert missed(unable) == set()
    assert missed(expert("text", Outcome.failed())(unable)) == {"R7"}
