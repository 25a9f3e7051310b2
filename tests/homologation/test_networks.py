# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The stage of networks on three emulated units: what healthy ones show, and what each fault fails."""

import contextlib
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from homologation.conftest import SEED, SMALL, emulated_units, silent
from homologation.network_faults import FAULTS
from support.emulate_process import emulated

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


def test_a_person_opens_and_copies_boards(tmp_path: Path) -> None:
    """Units at ports: what a person does, the control socket of each does here."""
    told: list[str] = []
    places = [tmp_path / name for name in "abc"]
    copies = tmp_path / "copy of a", tmp_path / "copy of b"
    with contextlib.ExitStack() as stack:
        ports = [
            stack.enter_context(emulated(place, "--pty", "--control", f"{place}.control")).port for place in places
        ]
        controls = {port: Path(f"{place}.control") for port, place in zip(ports, places, strict=True)}

        def open_case(what: str) -> None:
            told.append(what)
            (control,) = [control for port, control in controls.items() if port in what]
            tell(control, "case open" if what.startswith("now open") else "case close")

        def copy_flash() -> None:
            for place, copy in zip(places, copies, strict=False):
                shutil.copytree(place, copy)

        evidence, findings = run_stage(tmp_path, units=UnitPorts(tuple(ports), copies, copy_flash, open_case))
    assert missed(evidence, findings) == {}
    assert [what.split(" of ")[0] for what in told] == [
        "now open the case",
        "now close the case",
    ]
    assert all(copy.is_dir() for copy in copies)


def test_nobody_opens_a_case_or_copies_a_flash(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        ports = [stack.enter_context(emulated(tmp_path / name, "--pty")).port for name in "abc"]
        found = missed(*run_stage(tmp_path, units=UnitPorts(tuple(ports))))
    assert found.keys() == {"R34", "R35"}
    assert "NOT SHOWN (no case can be opened: the units are at ports" in found["R35"]
    assert found["R34"].startswith("N4: not run: no current copy of the flash of ")


def tell(control: Path, command: str) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(control))
        line.sendall(f"{command}\n".encode())
        assert line.recv(100) == b"ok\n"


def test_every_requirement_has_a_fault() -> None:
    assert set().union(*(expected for _, expected in FAULTS.values())) == {each.id for each in OF_NETWORKS}


def test_controls_come_out_as_they_must() -> None:
    controls = run_network_controls(SEED, silent)
    assert len(controls) == 7
    for target, findings in controls:
        assert check_control(target, findings).expected.word == HELD, target.name
