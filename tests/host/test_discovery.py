# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Selection of a unit's port from the list of ports, the environment, and the arguments."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from host.answering_pty import answering_pty, silence
from host.conftest import Call
from host.fake_usb import FakeUsbDevice, fake_port, plug_in_devices, plug_in_ports
from host.running import assert_refused
from support.emulate_process import PATIENCE, emulated

import ndks
from ndks.line import discovery

ALICE, BOB = "E66038B713596E2A", "E66038B713596E2B"


@pytest.fixture(autouse=True)
def nothing_is_plugged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the devices that are attached to this machine."""
    plug_in_ports(monkeypatch)
    plug_in_devices(monkeypatch)


def test_no_unit() -> None:
    with pytest.raises(ndks.NoUnit, match="no unit is attached"):
        discovery.select_port(None)


def test_no_unit_but_a_board_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in_devices(monkeypatch, FakeUsbDevice(0x2E8A, 0x0003))
    with pytest.raises(ndks.NoUnit, match="bootloader"):
        discovery.select_port(None)


def test_the_only_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in_ports(monkeypatch, fake_port("/dev/ttyACM3", ALICE))
    assert discovery.select_port(None) == "/dev/ttyACM3"


def test_other_devices_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    modem = fake_port("/dev/ttyUSB0", "FTDI", product="FT232R USB UART", vid=0x0403)
    other_board = fake_port("/dev/ttyACM0", "C0FFEE", product="Feather RP2040")
    console = fake_port("/dev/ttyS0", None, "", product=None, vid=None)
    plug_in_ports(monkeypatch, modem, other_board, console)
    assert discovery.candidates() == []
    plug_in_ports(monkeypatch, modem, fake_port("/dev/ttyACM1", ALICE, "1-2:1.0"), other_board, console)
    assert discovery.select_port(None) == "/dev/ttyACM1"


def test_several_units_are_listed(monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    plug_in_ports(monkeypatch, fake_port("/dev/ttyACM0", ALICE), fake_port("/dev/ttyACM1", BOB, "1-2:1.0"))
    finished = call("key")
    assert_refused(finished, "SEVERAL_UNITS", 3)
    assert f"{ALICE} at /dev/ttyACM0, {BOB} at /dev/ttyACM1" in finished.stderr
    assert "NDKS_UNIT" in finished.advice


@pytest.mark.parametrize("wanted", [BOB, BOB.lower()])
def test_one_of_several_by_serial_number(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in_ports(monkeypatch, fake_port("/dev/ttyACM0", ALICE), fake_port("/dev/ttyACM1", BOB.lower(), "1-2:1.0"))
    assert discovery.select_port(wanted) == "/dev/ttyACM1"
    monkeypatch.setenv("NDKS_UNIT", wanted)
    assert discovery.select_port(None) == "/dev/ttyACM1"
    assert discovery.select_port(ALICE) == "/dev/ttyACM0"  # the argument has priority


def test_serial_number_of_no_unit(monkeypatch: pytest.MonkeyPatch, call: Call, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    plug_in_ports(monkeypatch, fake_port("/dev/ttyACM0", ALICE))
    finished = call("key", "--unit", BOB)
    assert_refused(finished, "NO_UNIT", 3)
    assert BOB in finished.stderr


def test_name_of_a_port_is_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in_ports(monkeypatch, fake_port("/dev/ttyACM0", ALICE))
    for name in ("/dev/ttyACM9", "COM3", "com12", "socket://127.0.0.1:7000", "emulator:alice", "emulator:COM3"):
        assert discovery.select_port(name) == name


def test_empty_environment_variable_counts_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NDKS_UNIT", "")
    plug_in_ports(monkeypatch, fake_port("/dev/ttyACM0", ALICE))
    assert discovery.select_port(None) == "/dev/ttyACM0"


def test_board_with_two_ports_is_one_unit_at_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    data, console = fake_port("/dev/ttyACM1", ALICE, "1-1:1.2"), fake_port("/dev/ttyACM0", ALICE, "1-1:1.0")
    plug_in_ports(monkeypatch, data, console)
    assert discovery.candidates() == [discovery.Candidate("/dev/ttyACM1", ALICE)]


def test_ports_are_ordered_as_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without a location from the system: COM10 comes after COM9.
    plug_in_ports(monkeypatch, *(fake_port(name, ALICE, "") for name in ("COM10", "COM9")))
    assert discovery.select_port(None) == "COM10"


def test_where_the_product_string_is_hidden_hello_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on Windows. A CircuitPython board that is not a unit is ignored."""
    monkeypatch.setattr("ndks.times.PROBE_TIMEOUT", 10.0)  # in which a unit answers on a busy machine too
    stranger = fake_port("COM4", "FTDI", product="USB Serial Device (COM4)", vid=0x0403)
    with emulated(tmp_path / "a") as alice, answering_pty(silence) as other_board:
        hidden = fake_port(alice.port, ALICE, "1-1", product="USB Serial Device (COM3)")
        other = fake_port(other_board, "00", "1-2", product="USB Serial Device (COM5)")
        plug_in_ports(monkeypatch, hidden, stranger, other)
        assert discovery.candidates() == []
        monkeypatch.setattr(discovery, "os", SimpleNamespace(name="nt", environ=os.environ))
        assert discovery.select_port(None) == alice.port


def test_list_shows_each_unit_and_stops_at_none(monkeypatch: pytest.MonkeyPatch, call: Call, tmp_path: Path) -> None:
    monkeypatch.setattr("ndks.times.LIST_TIMEOUT", 10.0)  # in which a unit answers on a busy machine too
    with emulated(tmp_path / "a") as alice, emulated(tmp_path / "b") as bob, answering_pty(silence) as silent:
        gone = fake_port("/dev/ttyNoSuchPort", "00")
        ports = [fake_port(port, port, f"1-{place}") for place, port in enumerate((silent, alice.port, bob.port))]
        plug_in_ports(monkeypatch, gone, *ports)
        with ndks.open(alice.port):
            finished = call("list", "--json")
    values = json.loads(finished.text)
    assert (finished.status, values["schema"], values["usb"]) == (0, 1, [])
    found = {
        unit["port"]: unit["error"]["code"] if "error" in unit else unit["status"]["state"] for unit in values["units"]
    }
    assert found == {gone.device: "NO_UNIT", silent: "TIMEOUT", alice.port: "BUSY", bob.port: "blank"}


def test_list_as_text(monkeypatch: pytest.MonkeyPatch, call: Call, alice: str) -> None:
    monkeypatch.setattr("ndks.times.LIST_TIMEOUT", PATIENCE)
    assert call("list").text == "no unit is attached, and no emulated unit runs\n"
    with emulated(Path(alice.removeprefix("emulator:"))) as unit:
        plug_in_ports(monkeypatch, fake_port(unit.port, ALICE))
        plug_in_devices(monkeypatch, FakeUsbDevice(0x2E8A, 0x0003))
        finished = call("list")
    assert finished.text == f"{ALICE}  {unit.port}  locked, bound to this laptop\n"
    assert "bootloader" in finished.stderr


def test_unit_is_opened_when_it_is_the_only_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with emulated(tmp_path / "alice") as unit:
        plug_in_ports(monkeypatch, fake_port(unit.port, ALICE))
        with ndks.open() as opened:
            assert opened.port == unit.port
