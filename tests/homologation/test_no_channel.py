# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Stage 1, no channel: intact cages, and one with a hole."""

import json
from pathlib import Path

import pytest
from homologation.hole import make_hole, needs_root

from ndks.network.network_file import Network
from ndks_laboratory.homologation.provisioning import UnitGroup
from ndks_laboratory.outcome import HELD, Check
from ndks_laboratory.stages.recorded_keys import RecordedKeys, run_with_records
from ndks_laboratory.stages.sides import Side

pytestmark = pytest.mark.kernel

MESSAGE = b"The answer is in the second drawer."


def run(directory: Path) -> RecordedKeys:
    sides = [Side(name, f"emulator:{directory / f'{name}-unit'}", directory / name) for name in ("alice", "bob")]
    for side in sides:
        side.directory.mkdir()
    network = Network.new("stage")
    with UnitGroup(sides, pytest.fail).members(network):
        return run_with_records(sides, network, 3, 200, MESSAGE)


def failed(checks: tuple[Check, ...]) -> list[str]:
    return [check.name for check in checks if check.outcome.word != HELD]


def test_keys_are_shared_in_cages_that_hold(tmp_path: Path) -> None:
    shown = run(tmp_path)
    assert failed((*shown.cages.checks, *shown.keys, *shown.deletion)) == []
    assert {probe.answered for probe in shown.cages.probes if probe.caged} == {False}
    assert {probe.door.split()[0] for probe in shown.cages.probes if not probe.caged and probe.answered} == {
        "tcp",
        "udp",
        "unix",
    }
    assert len(shown.records[0].keys) == 3
    assert MESSAGE not in b"".join(path.read_bytes() for path in tmp_path.glob("alice/*") if path.is_file())


def test_the_sides_see_nothing_but_their_cages(tmp_path: Path) -> None:
    shown = run(tmp_path)
    for name, found in zip(("alice", "bob"), shown.cages.evidence, strict=True):
        assert found["interfaces"] == ["lo"]
        assert set(found["descriptors"].values()) == {"/dev/null", str(tmp_path / name / "log.txt")}
        assert json.loads((tmp_path / name / "evidence.json").read_text()) == found


@needs_root
def test_a_hole_is_found_by_what_goes_through_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_hole(monkeypatch)
    shown = run(tmp_path)
    assert "inside the cages, the same probe reaches nobody" in failed(shown.cages.checks)
    assert "neither side has an interface except its own loopback" in failed(shown.cages.checks)
    through = {(probe.who, probe.door) for probe in shown.cages.probes if probe.caged and probe.answered}
    assert {("alice", "tcp 192.0.2.2"), ("bob", "udp 192.0.2.1")} <= through
    assert "both sides hold the same keys" not in failed(shown.keys)
