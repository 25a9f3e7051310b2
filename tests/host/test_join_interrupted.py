# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Whatever is interrupted while a unit joins, it is not lost: it can be bound, or join by this package or another."""

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from host.conftest import Call
from host.joining import Joining, joining
from host.running import Finished, assert_refused, run_signalled
from host.watched_line import CutLine, wrap_lines
from support.control import Controlled, controlled
from support.emulate_process import PATIENCE, emulated
from support.power_cuts import PowerCuts

import ndks
from ndks.driver.unit import Unit
from ndks.line.link import Link
from ndks.network.admission import admit_by_request
from ndks.network.join_package import JoinPackage
from ndks_emulator import MemoryFlash, MemoryUnit, PowerCut
from ndks_protocol import commands
from ndks_protocol.commands import Command

__all__ = ["joining"]  # a fixture

SAID = "the unit is, or may be, a member, and may still be bound to its transport code: "


@pytest.fixture
def package(joining: Joining) -> JoinPackage:
    with ndks.open(joining.port, create=True) as unit:
        package = admit_by_request(joining.network_file, unit.join_request())
    package.save(joining.package_file)
    return package


def code_said(finished: Finished) -> str:
    """Return the transport code that was printed because the command failed, or ""."""
    said = [line for line in finished.stderr.splitlines() if SAID in line]
    return said[0].partition(SAID)[2] if said else ""


@pytest.mark.parametrize("command", [commands.PROVISION_SEALED, commands.PROVISION])
@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("bind", [["--bind"], []])
def test_the_cable_is_pulled_at_the_command_that_makes_it_a_member(
    command: Command,
    heard: bool,
    bind: list[str],
    package: JoinPackage,
    joining: Joining,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_package = command is commands.PROVISION_SEALED
    again = [joining.package_file, "--words", package.words] if with_package else [joining.network_file]
    with monkeypatch.context() as patch:
        wrap_lines(patch, lambda line: CutLine(line, command, heard=heard))
        refused = call("provision", *again, *bind, "--unit", joining.port)
    assert_refused(refused, "REMOVED", 6)
    words = code_said(refused)
    assert len(words.split()) == 24
    if not heard:
        assert call("provision", *again, "--bind", "--unit", joining.port).status == 0
    elif bind:
        refused = call("key", "--unit", joining.port)
        assert_refused(refused, "LOCKED", 5)
        assert refused.advice == f"bind it, without words: ndks bind --unit {joining.port}"
        assert call("bind", "--unit", joining.port).status == 0
    else:
        (joining.directory / "code").write_text(words)
        assert call("bind", "--code", joining.directory / "code", "--unit", joining.port).status == 0
    assert call("key", "--unit", joining.port).status == 0
    assert "transport_code" not in stored_about(package.serial_number)


def stored_about(serial_number: str) -> str:
    return (ndks.BindingStore().directory / "units" / f"{serial_number}.json").read_text()


@pytest.mark.parametrize("heard", [True, False])
def test_the_cable_is_pulled_at_bind(
    heard: bool, package: JoinPackage, joining: Joining, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        wrap_lines(patch, lambda line: CutLine(line, commands.BIND, heard=heard))
        refused = call("provision", joining.package_file, "--words", package.words, "--bind", "--unit", joining.port)
    assert_refused(refused, "REMOVED", 6)
    assert len(code_said(refused).split()) == 24
    assert call("bind", "--unit", joining.port).status == 0
    assert "transport_code" not in stored_about(package.serial_number)
    assert call("key", "--unit", joining.port).status == 0


def test_a_refusal_leaves_nothing_behind(package: JoinPackage, joining: Joining, call: Call) -> None:
    with ndks.open(joining.port) as unit:
        unit.joining_key()
    refused = call("provision", joining.package_file, "--words", package.words, "--bind", "--unit", joining.port)
    assert_refused(refused, "PACKAGE", 5)
    assert code_said(refused) == ""
    assert package.serial_number not in ndks.BindingStore().units()


def test_a_refusal_keeps_earlier_bindings(package: JoinPackage, joining: Joining, call: Call) -> None:
    with ndks.open(joining.port) as unit:
        unit.join_package(package)
        unit.zeroize()
    ndks.BindingStore().keep_code(package.serial_number, bytes(32))  # as if it had been interrupted long ago
    with ndks.open(joining.port) as unit:
        binding = unit.join(joining.network_file).binding
        assert binding
        with pytest.raises(ndks.DeviceError):
            unit.join_package(package)
        assert unit.is_bound_here
    assert "transport_code" not in stored_about(package.serial_number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_command_ends_at_the_command_that_makes_it_a_member(
    number: signal.Signals, tmp_path: Path, network_file: Path
) -> None:
    """SIGKILL is what a power cut of the laptop looks like: nothing more is written."""
    with emulated(tmp_path / "unit") as unit:
        joining = Joining(tmp_path, network_file, unit.port)
        joining.until_package()
        words = JoinPackage.load(joining.package_file).words
        provision = ("provision", joining.package_file, "--words", words, "--bind", "--unit", joining.port)
        killed = run_signalled(number, "PROVISION_SEALED", *provision, **joining.environment)
        assert killed.status in (-number, 128 + number)
        assert number == signal.SIGKILL or len(code_said(killed).split()) == 24
        assert_is_not_lost(joining)


def assert_is_not_lost(joining: Joining) -> None:
    """Check that the unit can be bound, if it is a member, or become one, and then gives keys."""
    with ndks.open(joining.port, bindings=ndks.BindingStore(joining.directory / "candidate")) as unit:
        state, has_code = unit.hello.state, unit.has_code_here
    if state == "blank":
        used = joining.use("--bind")
        if used.status:  # the unit erases its joining key first
            assert_refused(used, "NO_JOINING_KEY", 4)
            joining.forget_request()
            joining.package_file.unlink()
            assert joining.request().status == 0
            assert joining.answer("--again").status == 0
            assert joining.use("--bind").status == 0
    elif has_code:
        assert joining.candidate("bind").status == 0
    assert joining.candidate("key").status == 0


@pytest.fixture
def powered(tmp_path: Path) -> Iterator[Controlled]:
    with controlled(tmp_path / "unit") as unit:
        yield unit


@pytest.mark.parametrize("steps", [1, 60, 170])
def test_the_power_of_a_unit_behind_a_line_is_cut(
    steps: int, powered: Controlled, tmp_path: Path, network_file: Path
) -> None:
    joining = Joining(tmp_path, network_file, powered.port)
    joining.until_package()
    powered.control.do(f"power cut {steps}")
    assert joining.use("--bind").error_code in ("REMOVED", "TIMEOUT")
    powered.control.wait_for_cut()
    joining.port = powered.control.do("power on")
    assert_is_not_lost(joining)


def test_the_power_of_the_unit_is_cut_at_every_step(
    power_cuts: PowerCuts, joining: Joining, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unit erases its joining key first. Then it is a member, at first with the code that this laptop keeps."""
    flash = MemoryFlash(bytes(8))
    with at_memory(flash, tmp_path / "home") as unit:
        package = admit_by_request(joining.network_file, unit.join_request())
    whole = flash.clone()
    with at_memory(whole, tmp_path / "whole") as unit:
        before = whole.power.steps
        unit.join_package(package)
        total = whole.power.steps - before
    seen: list[str] = []
    for steps in power_cuts.points(total, at_most=25):
        cut, home = flash.clone(), tmp_path / str(steps)
        with at_memory(cut, home) as unit:
            cut.power.steps_left = steps
            with pytest.raises(PowerCut):
                unit.join_package(package)
        cut.power.restore()
        with at_memory(cut, home) as unit:
            seen.append("blank" if unit.hello.state == "blank" else "code" if unit.has_code_here else "bound")
            if seen[-1] == "blank":
                unit.join_package(admit_by_request(joining.network_file, unit.join_request(), again=True))
            elif seen[-1] == "code":
                unit.bind()
            assert unit.next_key(8).index == 1
    assert seen == sorted(seen, key=["blank", "code", "bound"].index)
    assert len(set(seen)) == 3


@contextlib.contextmanager
def at_memory(flash: MemoryFlash, home: Path) -> Iterator[Unit]:
    """Open a unit in memory at a laptop; its power may be off at the end."""
    transport = MemoryUnit(flash)
    unit = Unit("memory", Link(transport, PATIENCE), ndks.BindingStore(home))
    try:
        yield unit
    finally:
        with contextlib.suppress(PowerCut):
            unit.close()


@pytest.mark.parametrize("steps", [1, 2, 3, 6])
def test_the_power_is_cut_while_a_key_is_made(
    steps: int, powered: Controlled, tmp_path: Path, network_file: Path
) -> None:
    """The file is written after the key: there is none, or it is that of the unit's key."""
    joining = Joining(tmp_path, network_file, powered.port)
    assert joining.request().status == 0
    joining.forget_request()
    powered.control.do(f"power cut {steps}")
    requested = joining.request()
    if requested.status:
        powered.control.wait_for_cut()
    assert (requested.status == 0) == joining.request_file.exists()
    joining.port = powered.control.do("power on") or joining.port
    if requested.status:
        assert joining.request().status == 0
    assert joining.answer().status == 0
    assert joining.use("--bind").status == 0


def test_a_package_that_cannot_be_written_names_the_way_on(
    joining: Joining, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ndks.open(joining.port, create=True) as unit:
        request = unit.join_request()
    request.save(joining.request_file)
    answer = ("provision", joining.network_file, "--for", joining.request_file, "-o", joining.package_file)
    answer += ("--words", request.words)

    def fails(*_: object) -> None:
        raise ndks.FileError("the disk is full", "free some space")

    with monkeypatch.context() as patch:
        patch.setattr(JoinPackage, "save", fails)
        refused = call(*answer)
    assert_refused(refused, "FILE", 1)
    assert refused.advice == "free some space; the unit has lane 1 now: repeat with --again"
    assert call(*answer, "--again").status == 0
    assert JoinPackage.load(joining.package_file).lane == 2


def test_python_tells_the_code_before_it_binds(
    package: JoinPackage, joining: Joining, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ndks.UnitRemoved("gone")

    codes: list[str] = []
    with ndks.open(joining.port) as unit:
        with monkeypatch.context() as patch:
            patch.setattr(Unit, "bind", fails)
            with pytest.raises(ndks.UnitRemoved):
                unit.join_package(package, tell_code=codes.append)
        assert unit.has_code_here
        assert unit.bind().binding_id == unit.hello.binding_id
        assert not unit.has_code_here
    assert len(codes[0].split()) == 24


def test_nothing_is_stored_for_a_unit_that_goes_to_another_laptop(
    package: JoinPackage, joining: Joining, tmp_path: Path
) -> None:
    store = ndks.BindingStore(tmp_path / "here")
    with ndks.open(joining.port, bindings=store) as unit:
        joined = unit.join_package(package, bind=False)
    assert not store.directory.exists()
    assert joined.transport_code not in repr(joined)
    with ndks.open(joining.port) as unit:
        unit.bind(joined.transport_code)
        assert unit.status().lane == joined.lane
