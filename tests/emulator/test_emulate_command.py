# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the command `ndks emulate` in a real process: output and exit."""

import contextlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.emulate_process import PATIENCE, emulated
from support.forks import run_ndks

import ndks

LINES = [["--pty"], ["--tcp", "0"]]


def refused(directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return run_ndks("emulate", directory, *options, timeout=PATIENCE)


def outputs(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return stdout and stderr of a finished process after its first line."""
    assert process.stdout
    assert process.stderr
    return process.stdout.read(), process.stderr.read()


@pytest.mark.parametrize("options", [[], ["--pty"]])
def test_pty_path_is_all_of_stdout(tmp_path: Path, options: list[str]) -> None:
    with emulated(tmp_path / "alice", *options) as unit:
        assert unit.announced == f"{unit.port}\n"
        assert Path(unit.port).is_char_device()
        unit.end(signal.SIGTERM)
        assert outputs(unit.process)[0] == ""


def test_tcp_port_is_all_of_stdout(tmp_path: Path) -> None:
    with emulated(tmp_path / "alice", "--tcp", "0") as unit:
        host, _, port = unit.port.rpartition(":")
        assert host == "socket://127.0.0.1"
        assert 0 < int(port) < 1 << 16
        unit.end(signal.SIGTERM)
        assert outputs(unit.process)[0] == ""


@pytest.mark.parametrize("options", LINES)
def test_json_is_one_object(tmp_path: Path, options: list[str]) -> None:
    with emulated(tmp_path / "alice", "--json", *options) as unit:
        values = json.loads(unit.announced)
        with ndks.open(values["port"]) as opened:
            assert opened.hello.serial_number == values["serial_number"]
        assert values["schema"] == 1
        assert values["pid"] == unit.process.pid
        unit.end(signal.SIGTERM)
        assert outputs(unit.process)[0] == ""


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # pyserial leaks it after a hang-up
@pytest.mark.parametrize("options", LINES)
def test_sigterm_unplugs_the_unit(tmp_path: Path, options: list[str]) -> None:
    with emulated(tmp_path / "alice", *options) as unit, ndks.open(unit.port) as opened:
        assert opened.status().state == "blank"
        assert unit.end(signal.SIGTERM) == 0
        with pytest.raises(ndks.UnitRemoved):
            opened.status()
        assert "Traceback" not in outputs(unit.process)[1]


@pytest.mark.parametrize("options", LINES)
def test_interrupt_unplugs_the_unit(tmp_path: Path, options: list[str]) -> None:
    with emulated(tmp_path / "alice", *options) as unit:
        assert unit.end(signal.SIGINT) == 0
        stdout, stderr = outputs(unit.process)
        assert stdout == ""
        announced, unplugged = stderr.splitlines()
        assert announced.startswith("ndks: new blank unit ")
        assert announced.endswith("; Ctrl-C unplugs it")
        assert unplugged == "ndks: unplugged"
    with emulated(tmp_path / "alice", *options) as unit:
        unit.end(signal.SIGINT)
        assert outputs(unit.process)[1].startswith("ndks: unit ")


@pytest.mark.parametrize("options", LINES)
def test_hosts_come_and_go(tmp_path: Path, options: list[str]) -> None:
    with emulated(tmp_path / "alice", *options) as unit:
        for _ in range(5):
            with ndks.open(unit.port) as opened:
                assert opened.status().dropped_frames == 0


@pytest.mark.parametrize("options", LINES)
def test_host_that_leaves_in_the_middle_of_a_stream_does_not_upset_the_next(tmp_path: Path, options: list[str]) -> None:
    directory = tmp_path / "alice"
    with ndks.open(f"emulator:{directory}", create=True) as blank:
        blank.bind(blank.provision(ndks.Network.new("office"), 1))
    with emulated(directory, *options) as unit:
        for _ in range(5):
            with ndks.open(unit.port) as opened:
                next(opened.stream_key(1, 10_000_000))


def test_state_survives_a_killed_process(tmp_path: Path) -> None:
    with ndks.open(f"emulator:{tmp_path}", create=True) as blank:
        blank.bind(blank.provision(ndks.Network.new("office"), 1))
    with emulated(tmp_path) as unit, ndks.open(unit.port) as opened:
        assert opened.next_key(128).index == 1
        unit.end(signal.SIGKILL)
    with ndks.open(f"emulator:{tmp_path}", create=True) as opened:
        assert opened.next_index() == (0, 2)


def test_several_run_at_once(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        units = [stack.enter_context(emulated(tmp_path / f"unit{i}", *LINES[i % 2])) for i in range(4)]
        opened = [stack.enter_context(ndks.open(unit.port)) for unit in units]
        assert len({unit.port for unit in units}) == len(units)
        assert len({unit.hello.serial_number for unit in opened}) == len(units)
        assert [unit.status().state for unit in opened] == ["blank"] * len(units)


def test_second_process_on_a_directory_is_refused(tmp_path: Path) -> None:
    with emulated(tmp_path / "alice") as owner:
        second = refused(tmp_path / "alice")
        assert (second.returncode, second.stdout) == (4, "")
        assert second.stderr.startswith("ndks: BUSY: ")
        assert f"(pid {owner.process.pid})" in second.stderr


def test_no_directory_is_made_but_that_of_the_unit(tmp_path: Path) -> None:
    done = refused(tmp_path / "no" / "x" / "alice")
    assert (done.returncode, done.stdout) == (3, "")
    assert f"mkdir -p {tmp_path / 'no' / 'x'}" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear Bob")
    done = refused(tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("ndks: NO_UNIT: ")


def test_tcp_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    with emulated(tmp_path / "alice", "--tcp", "0") as owner:
        done = refused(tmp_path / "bob", "--tcp", owner.port.rpartition(":")[2])
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("ndks: USAGE: ")


@pytest.mark.parametrize("options", [["--tcp", "65536"], ["--tcp", "-1"], ["--tcp", "x"], ["--pty", "--tcp", "0"]])
def test_impossible_line_is_refused(tmp_path: Path, options: list[str]) -> None:
    done = refused(tmp_path / "alice", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def listed(*options: str) -> str:
    command = [sys.executable, "-m", "ndks", "list", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout


def test_list_names_units_that_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NDKS_HOME", str(tmp_path / "home"))
    assert "no emulated unit runs" in listed()
    with emulated(tmp_path / "alice", "--pty") as alice, emulated(tmp_path / "bob", "--tcp", "0") as bob:
        units = {unit["port"]: unit for unit in json.loads(listed("--json"))["units"]}
        assert units.keys() >= {alice.port, bob.port}
        assert units[alice.port]["emulated_in"] == str(tmp_path / "alice")
        assert units[alice.port]["hello"]["state"] == "blank"
        assert f"blank, emulated in {tmp_path / 'bob'}" in listed()
        bob.process.kill()
        bob.process.wait(PATIENCE)
        assert bob.port not in listed()
        alice.end(signal.SIGTERM)
    assert "no emulated unit runs" in listed()


def test_a_user_without_a_home_can_run_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NDKS_HOME", "/proc/nowhere")
    with emulated(tmp_path / "alice") as unit:
        assert unit.end(signal.SIGTERM) == 0
