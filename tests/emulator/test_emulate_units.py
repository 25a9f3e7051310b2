# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `ndks emulate --units`: from nothing to bound units, of which nothing stays."""

import functools
import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import serial
from support.emulate_process import PATIENCE, EmulateProcess, running
from support.forks import ndks_process, run_ndks

import ndks

Started = tuple[EmulateProcess, dict[str, Any]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("NDKS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def three(home: Path) -> Iterator[Started]:
    start = functools.partial(ndks_process, "emulate", "--units", "3", "--network", "office")
    with running(start) as process:
        yield process, json.loads(process.announced)


def test_units_are_members_that_share_keys_and_messages(three: Started) -> None:
    _, said = three
    with ExitStack() as stack:
        units = [stack.enter_context(ndks.open(unit["port"])) for unit in said["units"]]
        assert [unit.hello.serial_number for unit in units] == [unit["serial_number"] for unit in said["units"]]
        assert {unit.status().network_id for unit in units} == {said["network_id"]}
        assert len({unit.next_key(256).data for unit in units}) == 1
        assert units[2].unseal(units[0].seal(b"Meet me at noon.")) == b"Meet me at noon."
    network = ndks.Network.load(said["file"])
    assert network.name == said["network"] == "office"
    assert [member.serial_number for member in network.members] == [unit["serial_number"] for unit in said["units"]]


def test_list_names_all_of_them(three: Started) -> None:
    _, said = three
    units = json.loads(run_ndks("list", "--json", timeout=PATIENCE).stdout)["units"]
    assert {unit["port"] for unit in units} == {unit["port"] for unit in said["units"]}
    assert all(unit["bound_here"] for unit in units)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_of_them_stays(three: Started, home: Path, tmp_path: Path, number: signal.Signals) -> None:
    process, said = three
    with ndks.open(said["units"][0]["port"]) as used:
        assert used.next_key(8).index == 1
    with ExitStack() as stack:
        for unit in said["units"]:  # while a host holds a path, nobody else's line gets it
            stack.enter_context(serial.serial_for_url(unit["port"]))
        assert process.end(number) == 0
        assert not any(Path(unit["port"]).exists() for unit in said["units"])
    assert process.process.stderr
    assert process.process.stderr.read().endswith("ndks: unplugged\n")
    assert [path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()] == ["host_secret"]
    assert list(tmp_path.iterdir()) == [home]


def test_what_a_killed_process_has_left_the_next_one_removes(three: Started, home: Path, tmp_path: Path) -> None:
    process, said = three
    left = Path(said["file"]).parent
    start = functools.partial(ndks_process, "emulate", "--units", "1", "--network", "office")
    with running(start) as other:
        assert left.is_dir()  # its process lives
        process.end(signal.SIGKILL)
        assert left.is_dir()
        foreign = tmp_path / "ndks-emulate-link"
        foreign.symlink_to(home, target_is_directory=True)
        with running(start) as next_one:
            assert not left.exists()
            others = [json.loads(each.announced) for each in (other, next_one)]
            held = {Path(each["file"]).parent for each in others}
            assert set(tmp_path.iterdir()) == {home, foreign, *held}
            bound = {path.stem for path in (home / "units").iterdir()}
            assert bound == {each["units"][0]["serial_number"] for each in others}
            for end in (next_one, other):
                assert end.end(signal.SIGTERM) == 0
    assert run_ndks("list", timeout=PATIENCE).returncode == 0  # it removes notes of units that do not run
    assert [path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()] == ["host_secret"]
    assert set(tmp_path.iterdir()) == {home, foreign}


def test_bindings_of_a_killed_process_are_removed_from_its_own_home(
    three: Started, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, said = three
    process.end(signal.SIGKILL)
    monkeypatch.setenv("NDKS_HOME", str(tmp_path / "other"))
    with running(functools.partial(ndks_process, "emulate", "--units", "1", "--network", "office")) as next_one:
        assert not Path(said["file"]).exists()
        assert not [*home.glob("units/*"), *home.glob("counters/*")]
        assert next_one.end(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--units", "3"],
        ["--units", "0", "--network", "office"],
        ["--units", "33", "--network", "office"],
        ["--units", "2", "--network", "a/b"],
        ["--units", "2", "--network", "office", "alice"],
        ["--units", "2", "--network", "office", "--tcp", "0"],
        ["alice", "--network", "office"],
    ],
)
def test_impossible_options_are_refused(tmp_path: Path, home: Path, options: list[str]) -> None:
    done = run_ndks("emulate", *options, cwd=tmp_path, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ndks: USAGE: ")
    assert list(tmp_path.iterdir()) == []
