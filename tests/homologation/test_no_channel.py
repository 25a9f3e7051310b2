# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Stage 1: cages that hold, and one that does not."""

import json
from pathlib import Path

import pytest
from homologation.hole import needs_root, veth

from ndks.network.network_file import Network
from ndks_laboratory.homologation.provisioning import UnitPair
from ndks_laboratory.outcome import Check
from ndks_laboratory.stages.cage import find_cage
from ndks_laboratory.stages.no_channel import Hole, NoChannel, run_no_channel
from ndks_laboratory.stages.processes import Side

pytestmark = pytest.mark.skipif(not find_cage(), reason="this system gives no network namespaces")

MESSAGE = b"The answer is in the second drawer."


def run(directory: Path, hole: Hole | None = None) -> NoChannel:
    sides = [Side(name, f"emulator:{directory / f'{name}-unit'}", directory / name) for name in ("alice", "bob")]
    for side in sides:
        side.directory.mkdir()
    network = Network.new("stage")
    with UnitPair(sides, pytest.fail).members(network):
        return run_no_channel(sides, network, 3, 200, MESSAGE, hole)


def failed(checks: tuple[Check, ...]) -> list[str]:
    return [check.name for check in checks if not check.held]


def test_keys_are_shared_in_cages_that_hold(tmp_path: Path) -> None:
    shown = run(tmp_path)
    assert failed((*shown.cage_checks, *shown.key_checks, *shown.deletion_checks)) == []
    assert {probe.answered for probe in shown.probes if probe.caged} == {False}
    assert {probe.door.split()[0] for probe in shown.probes if not probe.caged and probe.answered} == {
        "tcp",
        "udp",
        "unix",
    }
    assert len(shown.records[0].keys) == 3
    assert MESSAGE not in b"".join(path.read_bytes() for path in tmp_path.glob("alice/*") if path.is_file())


def test_the_sides_see_nothing_but_their_cages(tmp_path: Path) -> None:
    shown = run(tmp_path)
    for name, found in zip(("alice", "bob"), shown.evidence, strict=True):
        assert found["interfaces"] == ["lo"]
        assert set(found["descriptors"].values()) == {"/dev/null", str(tmp_path / name / "log.txt")}
        assert json.loads((tmp_path / name / "evidence.json").read_text()) == found


@needs_root
def test_a_hole_is_found_by_what_goes_through_it(tmp_path: Path) -> None:
    shown = run(tmp_path, veth)
    assert "inside the cages the same probe reaches nobody" in failed(shown.cage_checks)
    assert "no interface but its own loopback on either side" in failed(shown.cage_checks)
    through = {(probe.who, probe.door) for probe in shown.probes if probe.caged and probe.answered}
    assert {("alice", "tcp 192.0.2.2"), ("bob", "udp 192.0.2.1")} <= through
    assert "both sides hold the same keys" not in failed(shown.key_checks)
