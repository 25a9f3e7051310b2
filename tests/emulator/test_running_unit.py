# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the control of a running unit, with small programs in place of the firmware."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import serial
from support.emulate_process import PATIENCE, wait_until

from ndks_emulator import PowerCut, PtyLine, RunningUnit, TcpLine, UnitDirectory, lines, running_unit
from ndks_emulator.board import EmulatedBoard
from ndks_emulator.lines import MemoryLine
from ndks_emulator.powered import NotNow
from ndks_unit.board import RESET_POWER_ON as POWER_ON

Firmware = Callable[[EmulatedBoard], None]


class EndOfTestError(Exception):
    """Raised to end the thread of the unit."""


class Bench:
    """A unit that runs in a thread, and its outcome."""

    def __init__(self, directory: UnitDirectory, firmware: Firmware, line: Any = None) -> None:
        self.line = line or MemoryLine()
        self.announced: list[str] = []
        self.unit = RunningUnit(directory, None, self.line, announce=self.announced.append)
        self.boards: list[EmulatedBoard] = []
        self._firmware = firmware
        self._ended = False

    def run(self) -> None:
        with contextlib.suppress(EndOfTestError):
            self.unit.serve()

    def end(self) -> None:
        self._ended = True
        self.unit.cable_in()

    def serve(self, board: EmulatedBoard) -> None:
        if self._ended:
            raise EndOfTestError
        self.boards.append(board)
        self._firmware(board)
        while True:
            connected = board.connected
            if self._ended:
                raise EndOfTestError
            if connected:
                board.receive()
                board.write(board.received)
            time.sleep(0.001)


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Firmware], Bench]]:
    """Run a program as the firmware; afterwards it echoes its input."""
    with UnitDirectory(tmp_path / "unit", create=True) as directory, contextlib.ExitStack() as stack:

        def start(firmware: Firmware = lambda board: None, line: Any = None) -> Bench:
            bench = Bench(directory, firmware, line)
            monkeypatch.setattr(running_unit, "Dispatcher", lambda board: board)
            monkeypatch.setattr(running_unit.main, "serve", bench.serve)
            thread = threading.Thread(target=bench.run)
            thread.start()
            stack.callback(thread.join, PATIENCE)
            stack.callback(bench.end)
            wait_until(lambda: bench.boards, "the unit has started")
            return bench

        yield start


def test_case_opens_in_the_middle_of_a_command(start: Any) -> None:
    looks: list[bool] = []

    def look_until_open(board: EmulatedBoard) -> None:
        wait_until(lambda: looks.append(board.case_open) or looks[-1], "the case is open")

    bench = start(look_until_open)
    bench.unit.case.open()
    wait_until(lambda: looks and looks[-1], "the unit has seen it")
    assert looks == sorted(looks)


def test_case_that_nobody_saw_open_was_open_all_the_same(start: Any) -> None:
    bench = start()
    bench.unit.case.open()
    bench.unit.case.close()
    (board,) = bench.boards
    assert board.case_open
    assert bench.unit.status()["case"] == "closed"
    bench.unit.power_off()
    bench.unit.power_on()
    wait_until(lambda: len(bench.boards) == 2, "the unit has restarted")
    assert [board.case_open for board in bench.boards] == [True, False]


def test_case_that_is_open_at_the_start_was_open(start: Any) -> None:
    bench = start()
    bench.unit.power_off()
    bench.unit.case.open()
    bench.unit.power_on()
    bench.unit.case.close()
    wait_until(lambda: len(bench.boards) == 2, "the unit has restarted")
    assert bench.boards[1].case_open


def test_power_off_ends_an_idle_unit_and_its_line(start: Any) -> None:
    bench = start()
    bench.unit.power_off()
    assert not bench.line.connected
    assert bench.unit.status()["port"] is None
    bench.unit.power_off()
    assert bench.unit.power_on() == bench.line.address
    assert bench.line.connected
    wait_until(lambda: len(bench.boards) == 2, "the unit has restarted")
    assert bench.unit.status()["restarts"] == 1
    bench.line.inbound += b"again"
    wait_until(lambda: bench.line.outbound == b"again", "the unit answers")


def test_power_off_ends_a_busy_unit(start: Any) -> None:
    def compute(board: EmulatedBoard) -> None:
        while board.reset_reason == POWER_ON:
            board.feed_watchdog()

    bench = start(compute)
    bench.unit.power_off()  # NotNow, if the unit does not end
    assert not bench.line.connected


def test_power_cut_comes_at_its_step_and_lasts(start: Any) -> None:
    def write_when_asked(board: EmulatedBoard) -> None:
        if board.nvm_read(0, 5) != b"state":
            wait_until(lambda: board.power.steps_left is not None, "the cut is ordered")
            board.nvm_write(0, b"state")
            board.nvm_write(0, b"other")

    bench = start(write_when_asked)
    bench.unit.power_cut(2)
    wait_until(lambda: not bench.unit.status()["port"], "the power is cut")
    status = bench.unit.status()
    assert (status["power"], status["flash_steps"], status["erases"], status["steps_left"]) == ("off", 2, 0, 0)
    with pytest.raises(NotNow, match="power"):
        bench.unit.power_cut(2)
    with pytest.raises(NotNow, match="power"):
        bench.unit.line_drop()
    bench.unit.power_on()
    wait_until(lambda: len(bench.boards) == 2, "the unit has restarted")
    assert bench.boards[1].nvm_read(0, 5) == b"state"


def test_power_on_calls_a_cut_off(start: Any) -> None:
    bench = start()
    bench.unit.power_cut(1000)
    assert bench.unit.status()["steps_left"] == 1000
    bench.unit.power_on()
    assert bench.unit.status()["steps_left"] is None
    assert len(bench.boards) == 1


def test_power_does_not_come_through_a_cable_that_is_out(start: Any) -> None:
    bench = start()
    bench.unit.cable_out()
    assert bench.unit.status() | {"cable": "out", "power": "off", "port": None} == bench.unit.status()
    with pytest.raises(NotNow, match="cable"):
        bench.unit.power_on()
    bench.unit.cable_in()
    assert bench.unit.status() | {"cable": "in", "power": "on"} == bench.unit.status()


def test_unit_sees_that_the_line_was_dropped_and_answers_nobody_else(start: Any) -> None:
    seen: list[tuple[str, object]] = []
    in_command = threading.Event()

    def firmware(board: EmulatedBoard) -> None:
        wait_until(lambda: bench_line.inbound, "a request")
        seen.append(("received", board.receive()))
        in_command.set()
        wait_until(lambda: not board.write(b""), "the drop is ordered")
        bench_line.inbound += b"of the next host"
        seen.append(("write", board.write(b"late answer")))
        seen.append(("received", board.receive()))
        seen.append(("connected", board.connected))
        seen.append(("connected", board.connected))

    bench_line = MemoryLine()
    bench = start(firmware, bench_line)
    bench_line.inbound += b"request"
    assert in_command.wait(PATIENCE)
    bench.unit.line_drop()
    wait_until(lambda: len(seen) == 5, "the firmware has come to its end")
    assert seen == [
        ("received", len(b"request")),
        ("write", False),
        ("received", 0),
        ("connected", False),
        ("connected", True),
    ]
    assert bench_line.outbound == b""
    assert len(bench.boards) == 1, "the power was never gone"


@pytest.mark.parametrize("make_line", [PtyLine, lambda: TcpLine(0)])
def test_unit_whose_host_does_not_read_ends_at_once(
    start: Any, make_line: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "WRITE_TIMEOUT", 2 * PATIENCE)  # the write does not end by itself
    ended = threading.Event()

    def firmware(board: EmulatedBoard) -> None:
        wait_until(lambda: board.receive() or board.connected, "the host is seen")
        try:
            board.write(bytes(1 << 26))
        except PowerCut:
            ended.set()
            raise

    line = make_line()
    bench = start(firmware, line)
    with serial.serial_for_url(line.address, timeout=PATIENCE) as host:
        assert host.read(1) == b"\0"
        bench.unit.power_off()
        assert ended.is_set()


def test_clock_wraps_soon_after_the_start(start: Any) -> None:
    (board,) = start().boards
    first = board.ticks_ms()
    assert (1 << 29) - 65536 <= first < 1 << 29
    wait_until(lambda: board.ticks_ms() > first, "a millisecond")
    board._started -= 65_536_000_000
    assert board.ticks_ms() < 60_000


def test_failure_of_the_firmware_ends_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(board: EmulatedBoard) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(running_unit.main, "serve", fail)
    line = MemoryLine()
    with UnitDirectory(tmp_path, create=True) as directory, pytest.raises(ZeroDivisionError):
        RunningUnit(directory, None, line).serve()
    assert not line.connected
