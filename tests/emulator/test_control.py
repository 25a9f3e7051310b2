# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of `ndks emulate --control` in a real process: case, power cuts and cable, as the host sees them."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from emulator.controlled_units import serial_number
from support.control import Controlled, ControlRefused, controlled
from support.emulate_process import PATIENCE, wait_until

import ndks
from emulator import controlled_units

unit = controlled_units.unit


MANY_STEPS = 1_000_000  # more than any command takes
pytestmark = [
    pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),  # pyserial leaks it after a hang-up
]


def check_hung_up(host: serial.Serial) -> None:
    def fails() -> bool:
        try:
            host.read(1)
        except (serial.SerialException, OSError):
            return True
        return False

    wait_until(fails, "the host sees that its line is gone")


def test_power_goes_and_comes_back(unit: Controlled) -> None:
    before = serial_number(unit.port)
    with serial.serial_for_url(unit.port, timeout=0.1) as host:
        unit.control.do("power off")
        check_hung_up(host)
        assert unit.control.status()["power"] == "off"
        assert unit.control.status()["port"] is None
        with pytest.raises(ndks.NdksError):  # while a host holds the old path, nobody else's line gets it
            serial_number(unit.port)
    port = unit.control.do("power on")
    assert serial_number(port) == before
    assert unit.control.status() | {"power": "on", "port": port, "restarts": 1} == unit.control.status()


def test_host_sees_the_removal_in_the_middle_of_its_session(unit: Controlled) -> None:
    with ndks.open(unit.port) as opened:
        opened.status()
        unit.control.do("power off")
        with pytest.raises(ndks.UnitRemoved):
            opened.status()


def test_tcp_port_stays_the_same(tmp_path: Path) -> None:
    with controlled(tmp_path / "alice", "--tcp", "0") as unit:
        unit.control.do("power off")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(unit.port.rpartition(":")[2])), 5)
        assert unit.control.do("power on") == unit.control.do("line drop") == unit.port


def test_cable_is_line_and_power(unit: Controlled) -> None:
    with serial.serial_for_url(unit.port, timeout=0.1) as host:
        unit.control.do("cable out")
        check_hung_up(host)
    assert unit.control.status() | {"cable": "out", "power": "off", "port": None} == unit.control.status()
    with pytest.raises(ControlRefused, match="cable"):
        unit.control.do("power on")
    assert serial_number(unit.control.do("cable in"))
    assert unit.control.status() | {"cable": "in", "power": "on", "restarts": 1} == unit.control.status()


def test_line_drops_while_the_power_stays(unit: Controlled) -> None:
    with serial.serial_for_url(unit.port, timeout=0.1) as host:
        port = unit.control.do("line drop")
        check_hung_up(host)
    assert serial_number(port)
    assert unit.control.status() | {"power": "on", "restarts": 0, "port": port} == unit.control.status()


def test_power_is_cut_at_a_step_of_flash(unit: Controlled) -> None:
    network, port = ndks.Network.new("office"), unit.port
    for steps in (1, 2):
        before = unit.control.status()["flash_steps"]
        unit.control.do(f"power cut {steps}")
        with pytest.raises(ndks.NdksError), ndks.open(port) as opened:
            opened.provision(network, 1)
        unit.control.wait_for_cut()
        assert unit.control.status()["flash_steps"] == before + steps
        port = unit.control.do("power on")
    unit.control.do(f"power cut {MANY_STEPS}")
    if not unit_is_member(port):
        with ndks.open(port) as opened:
            opened.provision(network, 1)
    assert unit_is_member(port)
    assert unit.control.status()["power"] == "on"


def unit_is_member(port: str) -> bool:
    with ndks.open(port) as opened:
        return opened.status().state != "blank"


def test_case_opens_and_closes(unit: Controlled) -> None:
    assert unit.control.status()["case"] == "closed"
    unit.control.do("case open")
    assert unit.control.status()["case"] == "open"
    unit.control.do("power off")
    unit.control.do("power on")
    assert unit.control.status()["case"] == "open"
    unit.control.do("case close")
    assert unit.control.status()["case"] == "closed"


def test_member_whose_case_opens_while_it_answers_is_erased(unit: Controlled) -> None:
    with ndks.open(unit.port) as opened:
        opened.bind(opened.provision(ndks.Network.new("office"), 1))
        stream = opened.stream_key(1, 1 << 30)
        next(stream)
        unit.control.do("case open")
        unit.control.do("case close")
        with pytest.raises(ndks.NdksError):
            for _ in stream:
                pass
    unit.control.do("power off")
    with ndks.open(unit.control.do("power on")) as opened:
        assert opened.status().state == "tampered"


def test_lines_are_answered_by_lines(unit: Controlled) -> None:
    assert unit.control.ask("case open") == "ok"
    assert unit.control.ask("  case   close ") == "ok"
    port = unit.control.ask("power on")
    assert port == f"ok {unit.port}"
    assert json.loads(unit.control.ask("status"))["power"] == "on"
    assert "power cut N" in json.loads(unit.control.ask("help"))
    assert unit.control.ask("power off") == "ok"
    assert unit.control.ask("power off") == "ok"
    assert unit.control.ask("line drop") == "error the power is off"


@pytest.mark.parametrize(
    "line",
    [
        *("", "frobnicate", "power", "power cut", "power cut x", "power cut -1", "power cut 1 2", "power cut ²"),
        *("case", "case open now", "power cut 99999999999999999999", "x" * 10_000, "\x00", "{}"),
    ],
)
def test_bad_line_is_answered_with_an_error(shared_unit: Controlled, line: str) -> None:
    assert shared_unit.control.ask(line).startswith("error ")
    assert shared_unit.control.status()["power"] == "on"


@pytest.fixture(scope="module")
def shared_unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controlled]:
    with controlled(tmp_path_factory.mktemp("shared") / "alice") as unit:
        yield unit


def test_several_lines_and_several_who_ask(shared_unit: Controlled) -> None:
    with contextlib.ExitStack() as stack:
        ends = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(3)]
        for end in ends:
            end.settimeout(PATIENCE)
            end.connect(str(shared_unit.socket))
        for end in reversed(ends):
            end.sendall(b"case open\ncase close\r\nnonsense\n")
            with end.makefile() as answers:
                assert [answers.readline() for _ in range(2)] == ["ok\n", "ok\n"]
                assert answers.readline().startswith("error ")


def test_line_without_its_end_is_answered_to_one_who_says_no_more(shared_unit: Controlled) -> None:
    with socket.socket(socket.AF_UNIX) as end:
        end.settimeout(PATIENCE)
        end.connect(str(shared_unit.socket))
        end.sendall(b"case close")
        end.shutdown(socket.SHUT_WR)
        assert end.recv(100) == b"ok\n"


def test_noise_and_leaving_do_not_upset_it(shared_unit: Controlled) -> None:
    for _ in range(20):
        with socket.socket(socket.AF_UNIX) as end:
            end.connect(str(shared_unit.socket))
            end.sendall(os.urandom(1000) + b"\nstatus\n" * 50)
    assert shared_unit.control.status()["power"] == "on"


def test_python_line_of_the_help_works(shared_unit: Controlled) -> None:
    text = subprocess.run(
        [sys.executable, "-m", "ndks", "emulate", "--help"], capture_output=True, text=True, check=True
    ).stdout
    script = text[text.index("  python3 -c") : text.index("A new pseudo-terminal")].replace("python3", sys.executable)
    script = script.replace("alice.ctl", str(shared_unit.socket))
    done = subprocess.run(script, shell=True, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert json.loads(done.stdout)["power"] == "on"
