# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `ndks emulate --control` in a real process: its socket and its link."""

import json
import os
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from emulator.controlled_units import serial_number
from support.control import Controlled, controlled
from support.emulate_process import PATIENCE, allow_interrupts
from support.forks import run_ndks

from emulator import controlled_units

unit = controlled_units.unit


pytestmark = [
    pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),  # pyserial leaks it after a hang-up
]


@pytest.fixture
def pty_unit(tmp_path: Path) -> Iterator[Controlled]:
    with controlled(tmp_path / "alice", "--link", str(tmp_path / "port")) as unit:
        yield unit


def refused(directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return run_ndks("emulate", directory, *options, timeout=PATIENCE)


def test_socket_is_private_and_the_result_names_it(tmp_path: Path) -> None:
    with controlled(tmp_path / "alice", "--json") as unit:
        mode = unit.socket.stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        assert json.loads(unit.process.announced)["control"] == str(unit.socket)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("power", ["on", "off"])
def test_socket_and_link_are_gone_at_the_end(tmp_path: Path, number: signal.Signals, power: str) -> None:
    allow_interrupts()
    link = tmp_path / "port"
    with controlled(tmp_path / "alice", "--link", str(link)) as unit:
        if power == "off":
            unit.control.do("power off")
        assert unit.process.end(number) == 0
        assert unit.process.process.stderr
        assert "Traceback" not in unit.process.process.stderr.read()
        assert not os.path.lexists(unit.socket)
        assert not os.path.lexists(link)


def test_socket_and_link_of_a_killed_process_are_taken_over(tmp_path: Path) -> None:
    link = tmp_path / "port"
    with controlled(tmp_path / "alice", "--link", str(link)) as unit:
        unit.process.end(signal.SIGKILL)
        assert unit.socket.exists()
        assert link.is_symlink()
    with controlled(tmp_path / "alice", "--link", str(link)) as unit:
        assert serial_number(str(link))
        assert unit.control.status()["power"] == "on"


def test_second_process_on_the_same_socket_is_refused(unit: Controlled, tmp_path: Path) -> None:
    done = refused(tmp_path / "bob", "--control", str(unit.socket))
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith(f"ndks: BUSY: another process listens at {unit.socket}. Do: ")
    assert unit.control.status()["power"] == "on"


@pytest.mark.parametrize("path", ["letter.txt", "missing/socket", "x" * 150])
def test_impossible_socket_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "letter.txt").write_text("dear Bob")
    done = refused(tmp_path / "alice", "--control", str(tmp_path / path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ndks: USAGE: the socket ")
    assert "Traceback" not in done.stderr
    assert (tmp_path / "letter.txt").read_text() == "dear Bob"


def test_link_leads_to_the_present_pty(pty_unit: Controlled, tmp_path: Path) -> None:
    link = tmp_path / "port"
    assert pty_unit.port == str(link)
    paths = [link.readlink()]
    for change in ("line drop", "cable in"):
        with serial.Serial(pty_unit.port):  # while a host holds the old path, the new path is different
            if change == "cable in":
                pty_unit.control.do("cable out")
                assert not os.path.lexists(link)
            assert pty_unit.control.do(change) == str(link)
            paths.append(link.readlink())
        assert serial_number(str(link))
    assert paths[0] != paths[1] != paths[2]


def test_without_a_link_the_new_path_is_told(tmp_path: Path) -> None:
    with controlled(tmp_path / "alice") as unit:
        unit.control.do("power off")
        port = unit.control.do("power on")
        assert Path(port).is_char_device()
        unit.process.end(signal.SIGTERM)
        assert unit.process.process.stderr
        assert f"ndks: the unit has started again, on {port}\n" in unit.process.process.stderr.read()


@pytest.mark.parametrize("path", ["letter.txt", ".", "other", "missing/port"])
def test_impossible_link_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "letter.txt").write_text("dear Bob")
    (tmp_path / "other").symlink_to("letter.txt")
    done = refused(tmp_path / "unit", "--link", str(tmp_path / path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ndks: USAGE: the link ")
    assert (tmp_path / "letter.txt").read_text() == "dear Bob"
    assert (tmp_path / "other").is_symlink()


def test_link_to_a_tcp_port_is_refused(tmp_path: Path) -> None:
    done = refused(tmp_path / "unit", "--link", str(tmp_path / "port"), "--tcp", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ndks: USAGE: --link ")
