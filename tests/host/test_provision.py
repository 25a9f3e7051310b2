# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `ndks provision`: new members, their lanes, and the network file."""

import json
import re
from pathlib import Path

import pytest
from host.running import Finished, assert_refused, finish, run, start

import ndks
from ndks.network.admission import admit_unit
from ndks_protocol import commands


def provision(network_file: Path, name: str, *options: str) -> Finished:
    return run("provision", network_file, "--bind", "--unit", f"emulator:{network_file.parent / name}", *options)


def lane_of(directory: Path) -> int:
    with ndks.open(f"emulator:{directory}", create=True) as unit:
        return unit.status().lane


def test_units_take_lanes_one_after_the_other(network_file: Path, tmp_path: Path) -> None:
    for lane, name in enumerate(("alice", "bob", "carol"), 1):
        finished = provision(network_file, name, "--json")
        assert json.loads(finished.text)["lane"] == lane
        assert lane_of(tmp_path / name) == lane
    assert ndks.Network.load(network_file).next_lane == 4


def test_member_list_has_lane_serial_number_and_label(network_file: Path, tmp_path: Path) -> None:
    assert provision(network_file, "alice", "--label", "Alice's laptop").status == 0
    with ndks.open(f"emulator:{tmp_path / 'alice'}", create=True) as unit:
        serial_number = unit.hello.serial_number
        binding_id = unit.hello.binding_id
    assert ndks.Network.load(network_file).members == (ndks.Member(1, serial_number, "Alice's laptop", binding_id),)


def test_json_has_schema_and_no_secret(network_file: Path, network: ndks.Network) -> None:
    finished = provision(network_file, "alice", "--json")
    values = json.loads(finished.text)
    of_binding = {"binding_id", "characteristics", "with_network"}
    assert set(values) == {"schema", "network", "network_id", "serial_number", "lane", "suite"} | of_binding
    assert values["schema"] == 1
    assert network.secret.hex() not in finished.text + finished.stderr


def test_file_stays_private(network_file: Path) -> None:
    provision(network_file, "alice")
    others = {path.name: oct(path.stat().st_mode & 0o777) for path in network_file.parent.iterdir() if path.is_file()}
    assert set(others.values()) == {"0o600"}, others


def test_provisioned_unit_is_refused_and_takes_no_lane(network_file: Path) -> None:
    provision(network_file, "alice")
    before = network_file.read_bytes()
    assert_refused(provision(network_file, "alice"), "PROVISIONED", 4)
    assert network_file.read_bytes() == before


def test_lane_is_not_given_again_to_a_unit_that_comes_back_blank(network_file: Path, tmp_path: Path) -> None:
    provision(network_file, "alice", "--label", "first")
    assert run("zeroize", "--yes", "--unit", f"emulator:{tmp_path / 'alice'}").status == 0
    assert provision(network_file, "alice", "--label", "again").status == 0
    network = ndks.Network.load(network_file)
    assert [(member.lane, member.label) for member in network.members] == [(2, "again")]
    assert network.next_lane == 3


def test_lane_is_not_given_again_when_the_unit_refused_it(network_file: Path, tmp_path: Path) -> None:
    # The unit's flash fails after the lane was written to the file: a lost lane is better than a shared one.
    with ndks.open(f"emulator:{tmp_path / 'alice'}", create=True) as unit:
        network, lane = admit_unit(network_file, unit.hello.serial_number, "")
        with pytest.raises(ndks.DeviceError):
            unit.provision(network, commands.COMMON_LANE)
    assert lane == 1
    provision(network_file, "alice")
    assert lane_of(tmp_path / "alice") == 2


def test_several_processes_at_once_take_different_lanes(network_file: Path, tmp_path: Path) -> None:
    names = [f"unit{number}" for number in range(4)]
    processes = [start("provision", network_file, "--bind", "--unit", f"emulator:{tmp_path / name}") for name in names]
    assert [finish(process).status for process in processes] == [0] * len(names)
    lanes = sorted(lane_of(tmp_path / name) for name in names)
    network = ndks.Network.load(network_file)
    assert lanes == sorted(member.lane for member in network.members) == [1, 2, 3, 4]
    assert network.next_lane == 5


def test_used_up_network_is_refused(network: ndks.Network, network_file: Path) -> None:
    values = json.loads(network_file.read_text())
    network_file.write_text(json.dumps(values | {"next_lane": 65535}))
    assert provision(network_file, "alice").status == 0
    finished = provision(network_file, "bob")
    assert_refused(finished, "USAGE", 2)
    assert "network new" in finished.advice


@pytest.mark.parametrize("command", [["key"], ["stream", "--bits", "8", "-o", "-"]])
def test_unit_without_a_network_has_no_keys(command: list[str], tmp_path: Path) -> None:
    make_blank(tmp_path / "alice")
    finished = run(*command, "--unit", f"emulator:{tmp_path / 'alice'}")
    assert_refused(finished, "BLANK", 4)
    assert "ndks provision" in finished.advice


def test_unit_without_a_network_says_so(tmp_path: Path) -> None:
    make_blank(tmp_path / "alice")
    finished = run("info", "--unit", f"emulator:{tmp_path / 'alice'}", "--json")
    values = json.loads(finished.text)
    assert (finished.status, values["schema"], values["status"]["state"]) == (0, 1, "blank")
    assert "next_index" not in values


@pytest.mark.parametrize("command", [["key"], ["info"], ["stream", "--bits", "8", "-o", "out"]])
def test_a_misspelt_directory_makes_no_unit(command: list[str], tmp_path: Path) -> None:
    finished = run(*command, "--unit", "emulator:alcie", cwd=tmp_path)
    assert_refused(finished, "NO_UNIT", 3)
    assert "check the name" in finished.advice
    assert list(tmp_path.iterdir()) == []


def make_blank(directory: Path) -> None:
    ndks.open(f"emulator:{directory}", create=True).close()


def test_member_says_what_it_is(network_file: Path) -> None:
    provision(network_file, "alice")
    finished = run("info", "--unit", f"emulator:{network_file.parent / 'alice'}")
    assert re.search(r"^network     office, id [0-9a-f]{16}, epoch 0, lane 1$", finished.text, re.MULTILINE)
    assert "next key    1\n" in finished.text
    assert finished.stderr == ""
