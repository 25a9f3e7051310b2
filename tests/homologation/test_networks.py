# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The stage of networks on three emulated units: what healthy ones show, and what each fault fails."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from homologation.conftest import SEED, SMALL, emulated_units, silent
from homologation.network_faults import FAULTS

from ndks.network.network_file import Network
from ndks_laboratory.homologation.attack import Finding, Seen
from ndks_laboratory.homologation.campaign import attack_network, run_network_controls
from ndks_laboratory.homologation.evidence import Evidence
from ndks_laboratory.homologation.laboratory import named
from ndks_laboratory.homologation.networks.evidence import LEAST_UNITS, NetworkEvidence
from ndks_laboratory.homologation.networks.stage import run_network
from ndks_laboratory.homologation.plan import UNREVOKED, HomologationPlan, UnitPorts
from ndks_laboratory.homologation.provisioning import UnitGroup
from ndks_laboratory.homologation.requirements import REQUIREMENTS
from ndks_laboratory.homologation.verdict import check_control
from ndks_laboratory.outcome import HELD
from ndks_laboratory.stages.sides import Side

pytestmark = pytest.mark.timeout(120)

OF_NETWORKS = [each for each in REQUIREMENTS if each.units == LEAST_UNITS and each.id != "R25"]
NOTHING = np.zeros((0, 0), np.uint8)


def run_stage(directory: Path, *, fault: str = "", units: UnitPorts | None = None) -> tuple[NetworkEvidence, Any]:
    """Run the stage with new units; return its evidence, and findings by label."""
    (directory / "report").mkdir()
    units = units or emulated_units(directory, "c")
    plan = HomologationPlan(units, directory / "report", Network.new("test"), SMALL, SEED, fault)
    sides = [Side(name, port, plan.directory / name) for name, port in named(plan.units.ports)]
    for side in sides:
        side.make()
    findings: dict[str, Finding] = {}

    def attack(system: Any) -> None:
        seen = Seen(3, NOTHING, NOTHING, (), seed=SEED)
        findings.update(attack_network(system, seen, silent("", 0)))

    return run_network(plan, UnitGroup(sides, pytest.fail), attack, silent("", 0)), findings


def missed(evidence: NetworkEvidence, findings: Any) -> dict[str, str]:
    """Return the requirements that are not met, and why."""
    everything = cast(Evidence, SimpleNamespace(of_network=evidence, attacks=SimpleNamespace(findings=findings)))
    judged = {each.id: each.judge(everything) for each in OF_NETWORKS}
    return {name: outcome.reason for name, outcome in judged.items() if outcome.word != HELD}


def test_three_healthy_units(tmp_path: Path) -> None:
    evidence, findings = run_stage(tmp_path)
    assert missed(evidence, findings) == {}
    assert evidence.states == 3 * ("blank",)
    assert evidence.packets > 100


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_fails_its_requirement(fault: str, tmp_path: Path) -> None:
    make, expected = FAULTS[fault]
    with make():
        found = missed(*run_stage(tmp_path))
    assert expected <= found.keys(), found


def test_a_stolen_unit_that_is_not_revoked(tmp_path: Path) -> None:
    found = missed(*run_stage(tmp_path, fault=UNREVOKED))
    assert found.keys() == {"R29", "R26"}
    assert "read a message of after the revocation" in found["R29"]


def test_every_requirement_has_a_fault() -> None:
    assert set().union(*(expected for _, expected in FAULTS.values())) == {each.id for each in OF_NETWORKS}


def test_controls_come_out_as_they_must() -> None:
    controls = run_network_controls(SEED, silent)
    assert len(controls) == 7
    for target, findings in controls:
        assert check_control(target, findings).expected.word == HELD, target.name
