# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The control of a running chip, with a stand-in for the chip that only notes what happens to it."""

import contextlib
import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.emulate_process import PATIENCE, wait_until

from ndks_chip.layout import DRIVE_AT, FLASH_SIZE, NVM_AT
from ndks_emulator.chip import running_chip
from ndks_emulator.chip.directory import ChipDirectory
from ndks_emulator.chip.running_chip import RunningChip
from ndks_emulator.control import answer
from ndks_emulator.lines import MemoryLine

PAGE = 256


class FakePort:
    def __init__(self, chip: "FakeChip") -> None:
        self._chip = chip
        self.on_data: Callable[[bytes], None] = lambda _: None
        self.pending = 0
        self.is_ready = True

    def write(self, data: bytes) -> None:
        self.on_data(data.upper())

    def set_dtr(self, on: bool) -> None:
        self._chip.happened.append(f"dtr {on}")

    def set_baud(self, baud: int) -> None:
        self._chip.happened.append(f"baud {baud}")


class FakeChip:
    """A chip that writes a page of flash in each slice for which it is asked, and answers in capitals."""

    made: "list[FakeChip]"
    to_write = 0
    to_end = False
    is_locked_up = is_in_boot_rom = False

    def __init__(self, flash: bytearray, *, uid: bytes, on_flash: Callable[[int, int], None]) -> None:
        self.happened: list[str] = []
        self.console, self.data = FakePort(self), FakePort(self)
        self.nanoseconds = 0
        self.pins: dict[int, bool | None] = {}
        self.bootsel = False
        self._flash, self._on_flash = flash, on_flash
        FakeChip.made.append(self)

    def run(self, nanoseconds: int) -> None:
        if FakeChip.to_end:
            raise EndOfTestError
        time.sleep(0.001)
        self.nanoseconds += nanoseconds
        if FakeChip.to_write:
            FakeChip.to_write -= 1
            self._flash[NVM_AT : NVM_AT + PAGE] = bytes(PAGE)
            self._on_flash(NVM_AT, PAGE)

    def reset(self) -> None:
        self.happened.append("reset")

    def set_pin(self, number: int, level: bool | None) -> None:
        self.pins[number] = level

    def set_bootsel(self, pressed: bool) -> None:
        self.bootsel = pressed


class EndOfTestError(Exception):
    """Raised to end the thread of the chip."""


class Bench:
    def __init__(self, directory: ChipDirectory) -> None:
        self.line, self.console = MemoryLine(), MemoryLine()
        self.announced: list[str] = []
        self.running = RunningChip(directory, self.console, math.inf, self.line, self.announced.append)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        wait_until(lambda: FakeChip.made and FakeChip.made[-1].nanoseconds, "the chip runs")

    @property
    def chip(self) -> FakeChip:
        return FakeChip.made[-1]

    def do(self, command: str) -> str:
        return answer(self.running, command)

    def end(self) -> None:
        FakeChip.to_end = True
        self.running.cable_in()
        self._thread.join(PATIENCE)

    def _serve(self) -> None:
        with contextlib.suppress(EndOfTestError):
            self.running.serve()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(running_chip, "Chip", FakeChip)
    FakeChip.made, FakeChip.to_write, FakeChip.to_end = [], 0, False
    with ChipDirectory(tmp_path / "chip", create=True) as directory:
        directory.replace(firmware=b"image", drive=bytes(FLASH_SIZE - DRIVE_AT))
        bench = Bench(directory)
        yield bench
        bench.end()


def status(bench: Bench) -> dict[str, Any]:
    return json.loads(bench.do("status"))


def shows(bench: Bench, **values: Any) -> bool:
    """Tell whether one status has all these values; in the next one, the time of the chip is another."""
    return values.items() <= status(bench).items()


def test_bytes_pass(bench: Bench) -> None:
    bench.line.inbound += b"request"
    bench.console.inbound += b"typed"
    wait_until(lambda: (bench.line.outbound, bench.console.outbound) == (b"REQUEST", b"TYPED"), "the answers")


def test_the_commands_are_those_of_the_help(bench: Bench) -> None:
    shown = json.loads(bench.do("help"))
    assert set(shown) == {*bench.running.actions, "power cut N", "status", "help"}
    assert set(shown["status"].partition(": ")[2].split(", ")) == set(status(bench))
    assert bench.do("frobnicate").startswith("error there is no command 'frobnicate'; there are reset, touch, ")


def test_buttons_and_pins_reach_this_chip_and_the_next(bench: Bench) -> None:
    for command in ("jumper on", "bootsel on", "case open"):
        assert bench.do(command) == "ok"
    assert (bench.chip.bootsel, bench.chip.pins) == (True, {2: False, 3: False})
    assert shows(bench, jumper="on", bootsel="on", case="open")
    assert bench.do("power off") == "ok"
    assert bench.do("jumper off") == "ok"
    assert bench.do("power on") == "ok memory"
    wait_until(lambda: len(FakeChip.made) == 2 and bench.chip.nanoseconds, "another chip runs")
    assert (bench.chip.bootsel, bench.chip.pins) == (True, {2: None, 3: False})


def test_reset_and_touch(bench: Bench) -> None:
    assert bench.do("reset") == "ok"
    assert bench.do("touch") == "ok"
    assert bench.chip.happened[-4:] == ["reset", "baud 1200", "dtr True", "dtr False"]
    bench.do("power off")
    assert bench.do("reset") == "error the power is off"


def test_a_chip_that_leaves_the_usb_hangs_up_and_is_announced_when_it_is_back(bench: Bench) -> None:
    bench.line.inbound += b"lost"
    bench.chip.data.is_ready = False
    wait_until(lambda: shows(bench, restarts=1, state="starting"), "the end of the line")
    assert not bench.line.inbound
    assert bench.announced == []
    bench.chip.data.is_ready = True
    wait_until(lambda: status(bench)["state"] == "ready", "the chip is back")
    assert bench.announced == ["memory"]


@pytest.mark.parametrize(
    ("attribute", "state", "text"),
    [("is_in_boot_rom", "bootloader", "waits for an image"), ("is_locked_up", "stuck", "a fault while it handled")],
)
def test_a_chip_that_does_nothing_is_reported_once(
    bench: Bench, caplog: pytest.LogCaptureFixture, attribute: str, state: str, text: str
) -> None:
    bench.chip.data.is_ready = False
    setattr(bench.chip, attribute, True)
    wait_until(lambda: status(bench)["state"] == state, "the state")
    before = bench.chip.nanoseconds
    wait_until(lambda: bench.chip.nanoseconds > before + 50_000_000, "some turns")
    assert [text in record.getMessage() for record in caplog.records] == [True]


def test_a_chip_without_a_data_port_is_reported(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.chip.data.is_ready = False
    bench.chip.nanoseconds += 31_000_000_000
    wait_until(lambda: status(bench)["state"] == "silent", "the state")
    assert "--console" in caplog.text


def test_power_cut_at_a_step(bench: Bench) -> None:
    assert bench.do("power cut 3") == "ok"
    FakeChip.to_write = 5
    wait_until(lambda: status(bench)["port"] is None, "the cut")
    assert shows(bench, flash_steps=3, steps_left=0, port=None, state="off")
    assert bench.do("power cut 1") == "error the power is off"
    assert bench.do("cable out") == "ok"
    assert bench.do("power on").startswith("error the cable is out")
    assert bench.do("cable in") == "ok memory"


def test_line_drop(bench: Bench) -> None:
    assert bench.do("line drop") == "ok memory"
    assert len(FakeChip.made) == 1
