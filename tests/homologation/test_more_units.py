# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Three or more units have one result: the keys of all are compared, and the first two are attacked."""

import json
from pathlib import Path
from typing import Any

import pytest
from homologation.conftest import ON_UNITS, Homologate, emulated_units, missed
from homologation.test_seeded_faults import evidence

from ndks_laboratory.homologation import documents, provisioning
from ndks_laboratory.homologation.verdict import APPROVED, NOT_APPROVED


def test_four_healthy_units(homologate: Homologate, tmp_path: Path) -> None:
    found = homologate(units=emulated_units(tmp_path, "c", "d"), attackers=ON_UNITS)
    assert missed(found) == set()
    assert found.verdict.word == APPROVED
    assert "of 4 units" in evidence(found, "R1")
    assert found.evidence.erasure.states == 4 * ("blank",)
    assert [unit.lane for unit in found.units] == [1, 2, 3, 4]
    probes = {probe.who for probe in found.evidence.no_channel.cages.probes if probe.caged}
    assert probes == {"alice", "bob", "unit-3", "unit-4"}
    report = documents.write(found, "ndks homologate", {})
    assert [unit["part"] for unit in report["units"]] == [
        f"{part}, in a network" for part in (*2 * ["attacked"], *2 * ["keys compared"])
    ]
    assert all(key["same"] for key in report["stages"]["no_channel"]["keys"])
    assert all(check["held"] for check in report["stages"]["network"]["checks"])
    page = (found.plan.directory / "report.html").read_text()
    certificate = json.loads((found.plan.directory / "certificate.json").read_text())
    assert certificate["judged_as"] == "network"
    assert [unit["serial_number"] for unit in certificate["units"]] == [unit.serial_number for unit in found.units]
    assert all(unit.serial_number in page for unit in found.units)


def test_a_third_unit_with_another_decimal(
    homologate: Homologate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit = provisioning.admit

    def altered(unit: Any, network: Any, name: str, *, alter: bool) -> Any:
        return admit(unit, network, name, alter=name == "unit-3")

    monkeypatch.setattr(provisioning, "admit", altered)
    monkeypatch.setattr(provisioning.UnitGroup, "keys_with_changed_decimal", lambda *_: (bytes(128), 128 * b"\x55"))
    found = homologate(units=emulated_units(tmp_path, "c"))
    assert found.verdict.word == NOT_APPROVED
    assert missed(found) >= {"R1", "R13", "R15", "R25"}
    assert "all 3 sides hold the same keys: FAILED" in evidence(found, "R1")
    report = documents.values(found, "ndks homologate")
    assert not any(key["same"] for key in report["stages"]["no_channel"]["keys"])
