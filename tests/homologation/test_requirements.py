# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Each requirement can be missed: by one bad piece of the evidence of healthy units, and only by that."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from homologation.conftest import CONTROL, SMALL, silent

from ndks.network.network_file import Network
from ndks_laboratory.homologation import judgements, laboratory, requirements
from ndks_laboratory.homologation.adversaries.roster import ACTIVE, PASSIVE
from ndks_laboratory.homologation.correspondence import FROM_CAGE
from ndks_laboratory.homologation.evidence import Evidence
from ndks_laboratory.homologation.verdict import judge
from ndks_laboratory.outcome import Check
from ndks_laboratory.stages.cage import find_cage

pytestmark = pytest.mark.timeout(300)

BAD = (Check("bad", False),)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    if not find_cage():
        pytest.skip("this system gives no network namespaces")
    directory = tmp_path_factory.mktemp("homologation")
    (directory / "report").mkdir()
    units = directory / "a", directory / "b"
    ports = f"emulator:{units[0]}", f"emulator:{units[1]}"
    plan = laboratory.HomologationPlan(ports, directory / "report", Network.new("test"), flash=units, **SMALL)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(laboratory, "run_controls", lambda _seed, _progress: [CONTROL])
        return laboratory.homologate(plan, silent, pytest.fail).evidence


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judgements, "PRIMAL_BITS", SMALL["primal_bits"])
    monkeypatch.setattr(judgements, "LEAST_KEYS", SMALL["keys"])


def stage_1(**changes: Any) -> Callable[[Evidence], Evidence]:
    return lambda e: replace(e, no_channel=replace(e.no_channel, **changes))


def stage_2(**changes: Any) -> Callable[[Evidence], Evidence]:
    return lambda e: replace(e, regular=replace(e.regular, **changes))


def one_letter_lost(number: int) -> Callable[[Evidence], Evidence]:
    def change(evidence: Evidence) -> Evidence:
        carried = (replace(c, came_out=None) if c.letter.number == number else c for c in evidence.regular.carried)
        return replace(evidence, regular=replace(evidence.regular, carried=tuple(carried)))

    return change


def attack(label: str, *, succeeded: bool | None) -> Callable[[Evidence], Evidence]:
    def change(evidence: Evidence) -> Evidence:
        finding = replace(evidence.findings[label], succeeded=succeeded)
        return replace(evidence, findings={**evidence.findings, label: finding})

    return change


def part(name: str, **changes: Any) -> Callable[[Evidence], Evidence]:
    return lambda e: replace(e, **{name: replace(getattr(e, name), **changes)})


CASES: list[tuple[Callable[[Evidence], Evidence], set[str]]] = [
    (stage_1(key_checks=BAD), {"R1", "R13"}),
    (stage_1(cage_checks=BAD), {"R2"}),
    (stage_1(cage_checks=()), {"R2"}),
    (stage_1(deletion_checks=BAD), {"R3"}),
    (stage_2(delivered=BAD), {"R4"}),
    (stage_2(disconnected=BAD), {"R5"}),
    (stage_2(recorded=BAD), {"R7"}),
    (one_letter_lost(FROM_CAGE), {"R3", "R6"}),
    (one_letter_lost(5), {"R6"}),
    (part("symbol", p_value=1e-12), {"R11"}),
    (part("symbol", equal_messages=1), {"R11"}),
    (part("changed_decimal", differ=100), {"R12"}),
    (part("changed_decimal", differ=1000), {"R12"}),
    (lambda e: replace(e, distances={**e.distances, "p1": e.distances["p1"] * 0}), {"R12"}),
    (part("long_key", same=False), {"R14"}),
    (part("long_key", bits=1000), {"R14"}),
    (part("defined", same=False), {"R15"}),
    (lambda e: replace(e, keys_seen=10), {"R9"}),
    (lambda e: replace(e, long_bits_seen=1000), {"R10"}),
    (lambda e: replace(e, erased=("blank", "not erased: REMOVED")), {"R23"}),
    (lambda e: replace(e, erased=("blank",)), {"R23"}),
    (lambda e: replace(e, left_in_flash=("p1",)), {"R23"}),
    (lambda e: replace(e, unable=frozenset({"A2", "A3", "A5"})), {"R8"}),
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
}


def missed(evidence: Evidence) -> set[str]:
    return {judged.requirement.id for judged in judge(evidence) if judged.verdict != "met"}


def test_healthy_units_meet_all(healthy: Evidence) -> None:
    assert missed(healthy) == set()


@pytest.mark.parametrize(("change", "expected"), CASES)
def test_one_bad_piece_of_evidence(
    healthy: Evidence, change: Callable[[Evidence], Evidence], expected: set[str]
) -> None:
    assert missed(change(healthy)) == expected


@pytest.mark.parametrize("succeeded", [True, None])
@pytest.mark.parametrize("label", OF_ATTACKS)
def test_every_attack_counts(healthy: Evidence, label: str, succeeded: bool | None) -> None:
    assert missed(attack(label, succeeded=succeeded)(healthy)) == OF_ATTACKS[label]


def test_every_attacker_and_every_requirement_has_a_case() -> None:
    assert set(OF_ATTACKS) == {adversary.label for adversary in (*PASSIVE, *ACTIVE)}
    covered = set().union(*(expected for _, expected in CASES), *OF_ATTACKS.values())
    assert covered == {requirement.id for requirement in requirements.REQUIREMENTS}


def test_attackers_that_cannot_reach_so_far_are_not_counted(healthy: Evidence) -> None:
    changed = attack("A2", succeeded=None)(attack("A1", succeeded=None)(healthy))
    assert missed(replace(changed, unable=frozenset({"A1", "A2"}))) == set()
