# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks doctor`: what it sees, what it finds wrong, and that no secret is in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from host.conftest import Call
from host.fake_usb import FakeUsbDevice, fake_port, plug_in_devices, plug_in_ports
from support.emulate_process import PATIENCE, emulated

import ndks
from ndks.laptop.bindings import BindingStore


@pytest.fixture(autouse=True)
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A separate laptop with nothing plugged in, whose user has no bindings elsewhere."""
    plug_in_ports(monkeypatch)
    plug_in_devices(monkeypatch)
    home = tmp_path / "home"
    monkeypatch.setenv("NDKS_HOME", str(home))
    monkeypatch.setattr("ndks.cli.doctor.other_homes", lambda _searched: [])
    monkeypatch.setattr("ndks.times.LIST_TIMEOUT", PATIENCE)
    return home


def report(call: Call) -> tuple[int, dict[str, Any]]:
    finished = call("doctor", "--json")
    assert finished.stderr == ""
    return finished.status, json.loads(finished.text)


def test_nothing_is_wrong(call: Call, laptop: Path) -> None:
    status, values = report(call)
    assert (status, values["problems"]) == (0, [])
    assert values["versions"]["ndks"] == ndks.__version__
    assert values["bindings"] == {"directory": str(laptop), "exists": False, "units": [], "elsewhere": []}
    assert "problems        none found" in call("doctor").text


def test_units_and_their_bindings(call: Call, alice: str, tmp_path: Path) -> None:
    with emulated(tmp_path / "alice") as running:
        status, values = report(call)
    (unit,) = values["units"]
    (bound,) = values["bindings"]["units"]
    assert status == 0
    assert unit["port"] == running.port
    assert unit["bound_here"]
    assert bound["serial_number"] == unit["serial_number"] == unit["hello"]["serial_number"]
    assert bound["binding_ids"] == [unit["hello"]["binding_id"]]


def test_no_secret_is_in_it(call: Call, alice: str, laptop: Path) -> None:
    secret = (laptop / "host_secret").read_text().strip()
    assert secret not in call("doctor").text + call("doctor", "--json").text


def test_files_that_others_can_read_are_told_in_one_message(call: Call, alice: str, bob: str, laptop: Path) -> None:
    for path in (laptop / "host_secret", *(laptop / "units").iterdir()):
        path.chmod(0o644)
    status, values = report(call)
    (problem,) = values["problems"]
    assert status == 1
    for serial_number in BindingStore().units():
        assert f"{serial_number}.json" in problem
    assert "chmod 600" in problem
    assert call("doctor").text.count("its binding cannot be read\n") == len(BindingStore().units())


def test_a_port_of_no_known_device(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in_ports(monkeypatch, fake_port("/dev/null", None, product=None, vid=None))
    finished = call("doctor")
    assert finished.status == 0
    assert "  /dev/null: unknown device, " in finished.text
    assert "only boards need it, on Linux" in finished.text


def test_the_list_has_a_short_word_for_a_binding_that_cannot_be_read(
    call: Call, alice: str, laptop: Path, tmp_path: Path
) -> None:
    (laptop / "host_secret").chmod(0o644)
    with emulated(tmp_path / "alice"):
        finished = call("list")
    assert finished.status == 0
    assert "  binding unreadable, emulated in " in finished.text
    assert "chmod 600" in finished.advice


def test_a_laptop_that_has_changed(call: Call, alice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ndks.cli.doctor.characteristics", lambda **_options: (("board", "another"),))
    status, values = report(call)
    assert status == 1
    assert "will not open: this laptop has changed: " in values["problems"][0]


def test_bindings_of_another_directory(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ndks.cli.doctor.other_homes", lambda _searched: [tmp_path / "elsewhere"])
    status, values = report(call)
    assert status == 1
    assert values["bindings"]["elsewhere"] == [str(tmp_path / "elsewhere")]


def test_a_port_that_may_not_be_opened(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in_ports(monkeypatch, fake_port(str(tmp_path / "gone"), "E66038B713596E2A"))
    plug_in_devices(monkeypatch, FakeUsbDevice(0x2E8A, 0x0003))
    status, values = report(call)
    assert status == 1
    assert any("you may not open" in problem for problem in values["problems"])
    assert any("bootloader" in problem for problem in values["problems"])
    assert any("a board is attached, and the udev rule is not installed" in problem for problem in values["problems"])
    (port,) = values["ports"]
    assert not port["may_be_opened"]
