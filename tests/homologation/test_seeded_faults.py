# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Each seeded fault fails its requirement and prevents approval."""

import contextlib
from pathlib import Path

import pytest
from homologation.conftest import ON_UNITS, Healthy, Homologate, broken, missed
from homologation.faulty_unit import emulated
from homologation.hole import make_hole, needs_root

from ndks_laboratory.homologation.laboratory import Homologation
from ndks_laboratory.homologation.plan import UnitPorts
from ndks_laboratory.homologation.verdict import APPROVED, NOT_APPROVED


def evidence(homologation: Homologation, number: str) -> str:
    (found,) = [judged.outcome.reason for judged in homologation.verdict.judged if judged.requirement.id == number]
    return found


def test_healthy_units_miss_nothing(healthy: Healthy) -> None:
    assert (healthy.missed, healthy.broken) == (set(), set())
    assert healthy.verdict == APPROVED


def test_one_decimal_of_p1_differs(homologate: Homologate) -> None:
    found = homologate(fault="p1", attackers=ON_UNITS)
    assert found.verdict.word == NOT_APPROVED
    assert {"R1", "R4"} <= missed(found)
    assert "both sides hold the same keys: FAILED" in evidence(found, "R1")
    assert "DIVERGED" in evidence(found, "R4")


@needs_root
def test_a_cage_with_a_hole(homologate: Homologate, monkeypatch: pytest.MonkeyPatch) -> None:
    make_hole(monkeypatch)
    found = homologate()
    assert found.verdict.word == NOT_APPROVED
    assert missed(found) == {"R1", "R2", "R13"}
    assert "alice by tcp 192.0.2.2" in evidence(found, "R2")


def test_a_relay_that_tampers(homologate: Homologate) -> None:
    found = homologate(fault="tamper")
    assert found.verdict.word == NOT_APPROVED
    assert missed(found) == {"R3", "R4", "R6"}
    assert "message 0: AUTH" in evidence(found, "R4")


@pytest.mark.parametrize(
    ("fault", "requirement", "adversary"),
    [
        ("repeated-number", "R18", "A7g"),
        ("unchecked-tags", "R16", "A7a"),
        ("no-forward-secrecy", "R24", "A7m"),
        ("biased-bits", "R10", "S"),
    ],
)
def test_faulty_units(homologate: Homologate, tmp_path: Path, fault: str, requirement: str, adversary: str) -> None:
    found = run_units(homologate, tmp_path, ON_UNITS & {adversary}, fault, fault)
    assert found.verdict.word == NOT_APPROVED
    assert adversary in broken(found)
    assert requirement in missed(found)
    assert any(requirement in reason for reason in found.verdict.reasons)


@pytest.mark.parametrize(
    ("adversary", "faults"),
    [
        ("A7a", ("unchecked-tags", "none")),
        ("A7k", ("none", "stale-link-sync")),
        ("A7h", ("stays-open", "none")),
    ],
)
def test_one_faulty_unit_is_enough(
    homologate: Homologate, tmp_path: Path, adversary: str, faults: tuple[str, str]
) -> None:
    found = run_units(homologate, tmp_path, ON_UNITS & {adversary}, *faults)
    assert found.verdict.word == NOT_APPROVED
    assert broken(found) == {adversary}


def run_units(homologate: Homologate, directory: Path, attackers: frozenset[str], *faults: str) -> Homologation:
    places = [directory / name for name in ("x", "y")]
    with contextlib.ExitStack() as stack:
        ports = [stack.enter_context(emulated(fault, place)).port for fault, place in zip(faults, places, strict=True)]
        return homologate(units=UnitPorts((ports[0], ports[1]), (places[0], places[1])), attackers=attackers)
