# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the unit in memory: flash, board, power, line, injected sources, and safe closing."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.public_network import public_network

from ndks.driver.unit import Unit
from ndks.laptop.bindings import BindingStore
from ndks.line.link import Link
from ndks_emulator import MemoryFlash, MemoryUnit, PowerCut, SetClock, UnitDirectory, memory
from ndks_emulator.board import EmulatedBoard
from ndks_protocol.flash import NVM_SIZE, SNAPSHOT_SIZE
from ndks_unit.board import TICKS_PERIOD

STATE = b"state" * 100


class Firmware:
    """A firmware that writes the received bytes to flash and answers with the previous content."""

    def __init__(self, board: EmulatedBoard) -> None:
        self._board = board
        self._before = board.nvm_read(0, 1)

    def poll(self) -> None:
        self._board.receive()
        self._board.nvm_write(0, self._board.received)
        self._board.write(self._before + bytes((self._board.reset_reason, self._board.case_open)))


@pytest.fixture
def firmware(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "Dispatcher", Firmware)


@pytest.fixture
def unit(tmp_path: Path, firmware: None) -> Iterator[MemoryUnit]:
    """A unit in memory with its flash on disk."""
    unit = MemoryUnit(UnitDirectory(tmp_path, create=True))
    yield unit
    unit.close()


def write_everywhere(board: EmulatedBoard) -> None:
    board.nvm_write(100, STATE)
    board.snapshot_write(0, STATE)
    board.nvm_write(100, STATE)
    board.snapshot_write(1, STATE)


class TestFlash:
    def test_new_flash_is_blank(self) -> None:
        flash = MemoryFlash(b"12345678")
        board = MemoryUnit(flash).board
        assert board.uid == b"12345678"
        assert flash.images == [b"\xff" * NVM_SIZE] * 3
        assert board.nvm_read(0, NVM_SIZE) == b"\xff" * NVM_SIZE
        assert [board.snapshot_read(slot, 0, SNAPSHOT_SIZE + 1) for slot in (0, 1)] == [b"\xff" * SNAPSHOT_SIZE] * 2
        assert board.snapshots_writable

    def test_images_are_put_back(self) -> None:
        flash = MemoryFlash()
        before = flash.images
        write_everywhere(MemoryUnit(flash).board)
        assert all(STATE in image for image in flash.images)
        flash.images = before
        assert flash.images == before

    def test_snapshot_may_be_missing_or_read_only(self) -> None:
        flash = MemoryFlash()
        flash.snapshots[1] = None
        assert not flash.snapshots_writable
        assert len(flash.images) == 2
        with pytest.raises(OSError):  # noqa: PT011 (whichever)
            flash.snapshot_read(1, 0, 1)
        with pytest.raises(OSError):  # noqa: PT011
            flash.snapshot_write(1, STATE)
        flash = MemoryFlash()
        flash.drive_is_writable = False
        assert not flash.snapshots_writable
        with pytest.raises(OSError, match="read-only"):
            flash.snapshot_write(0, STATE)
        assert not flash.clone().snapshots_writable

    def test_clone_of_flash_without_power_has_it(self) -> None:
        flash = MemoryFlash(fine=True)
        flash.snapshots[0] = None
        flash.power.cut()
        clone = flash.clone()
        assert (clone.power.on, clone.power.fine, clone.snapshots[0]) == (True, True, None)


class TestUnit:
    def test_bytes_pass_in_pieces(self) -> None:
        unit = MemoryUnit()
        unit.line.inbound += bytes(300)
        assert (unit.board.receive(), unit.board.receive(), unit.board.receive()) == (256, 44, 0)
        assert unit.board.write(b"answer")
        assert (unit.read(), unit.read()) == (b"answer", b"")
        unit.line.connected = False
        assert not unit.board.connected
        assert not unit.board.write(b"to nobody")
        assert unit.read() == b""

    def test_case_is_latched_until_the_next_start(self) -> None:
        unit = MemoryUnit()
        unit.case.open()
        unit.case.close()
        assert unit.board.case_open
        unit.start()
        assert not unit.board.case_open
        unit.case.open()
        unit.start()
        assert unit.board.case_open
        unit.case.close()
        assert unit.board.case_open
        assert unit.clone().board.case_open is False, "a clone begins with a start"

    def test_it_has_the_entropy_and_the_clock_that_it_is_given(self) -> None:
        clock = SetClock(TICKS_PERIOD + 5)
        units = [MemoryUnit(entropy=lambda size: b"x" * size, clock=clock) for _ in range(2)]
        assert [unit.board.entropy(3) for unit in units] == [b"xxx"] * 2
        assert [unit.board.ticks_ms() for unit in units] == [5, 5]
        clock.milliseconds += 2
        assert [unit.board.ticks_ms() for unit in units] == [7, 7]

    def test_without_it_has_those_of_the_pc(self) -> None:
        unit = MemoryUnit()
        assert unit.board.entropy(16) != unit.board.entropy(16)
        assert TICKS_PERIOD - 65536 <= unit.board.ticks_ms() < TICKS_PERIOD

    def test_start_says_why(self) -> None:
        unit = MemoryUnit()
        unit.line.inbound += b"lost"
        unit.start(2)
        assert (unit.board.reset_reason, unit.line.inbound) == (2, b"")

    def test_clone_shares_nothing(self) -> None:
        unit = MemoryUnit(clock=SetClock())
        write_everywhere(unit.board)
        before = unit.flash.images
        clone = unit.clone()
        assert clone.flash.images == before
        clone.board.nvm_write(0, b"more")
        clone.board.snapshot_write(0, b"more")
        clone.power.cut()
        clone.case.open()
        clone.clock.milliseconds = 7
        clone.line.outbound += b"answer"
        assert unit.flash.images == before
        assert (unit.power.on, unit.board.case_open, unit.clock(), unit.read()) == (True, False, 0, b"")

    @pytest.mark.usefixtures("firmware")
    def test_a_host_that_leaves_is_noticed(self) -> None:
        unit = MemoryUnit()
        seen: list[bool] = []
        unit.firmware.poll = lambda: seen.append(unit.board.connected)
        unit.unplug_host()
        unit.poll()
        assert seen == [True, False, True]


class TestPower:
    def test_it_stays(self, unit: MemoryUnit) -> None:
        for value in (b"a", b"b"):
            unit.write(value)
        assert unit.read() == b"\xff\0\0" * 2
        assert unit.read() == b""

    def test_once_it_is_cut_it_stays_off_until_it_is_back(self, unit: MemoryUnit) -> None:
        unit.power.steps_left = 2
        for _ in range(2):
            with pytest.raises(PowerCut):
                unit.write(b"a")
            assert unit.read() == b""
            assert not unit.is_running
        unit.power.restore()
        unit.write(b"b")
        assert unit.read() == b"a\0\0", "it has restarted"

    def test_closing_without_it_is_safe(self, unit: MemoryUnit, tmp_path: Path) -> None:
        unit.power.cut()
        with pytest.raises(PowerCut):
            unit.write(b"a")
        unit.close()
        unit.close()
        UnitDirectory(tmp_path, create=False).close()

    def test_flash_is_let_go_of_when_the_unit_does_not_start(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(board: EmulatedBoard) -> None:
            raise OSError("a damaged disk")

        monkeypatch.setattr(memory, "Dispatcher", refuse)
        with pytest.raises(OSError, match="a damaged disk"):
            MemoryUnit(UnitDirectory(tmp_path, create=True))
        UnitDirectory(tmp_path, create=False).close()

    @pytest.mark.parametrize("fine", [False, True])
    def test_cut_everywhere_ends_with_what_was_wanted(self, fine: bool) -> None:
        whole = MemoryUnit(MemoryFlash(fine=fine))
        write_everywhere(whole.board)
        images: list[list[bytes]] = []
        every = 50 if fine else 1
        for steps in range(0, whole.power.steps + 1 + every, every):
            unit = MemoryUnit(MemoryFlash(fine=fine))
            ended = unit.power.survives(steps, lambda unit=unit: write_everywhere(unit.board))
            assert ended == (steps > whole.power.steps)
            assert unit.power.on
            images.append(unit.flash.images)
        assert len(set(map(tuple, images))) > 20
        assert images[-1] == whole.flash.images

    def test_what_was_sent_before_the_cut_stays(self) -> None:
        unit = MemoryUnit()

        def operation() -> None:
            unit.board.write(b"sent")
            write_everywhere(unit.board)
            unit.board.write(b"not sent")

        assert not unit.power.survives(3, operation)
        assert unit.read() == b"sent"
        assert unit.power.survives(1000, operation)
        assert unit.power.steps_left is None

    def test_without_it_the_line_is_dead_as_well(self) -> None:
        unit = MemoryUnit()
        board = unit.board
        unit.power.cut()
        for operation in (board.receive, lambda: board.write(b"x"), lambda: board.connected, board.feed_watchdog):
            with pytest.raises(PowerCut):
                operation()


def test_several_in_one_process_are_a_network(tmp_path: Path) -> None:
    """Each unit is the transport of its host; all share one clock and reproducible entropy."""
    clock = SetClock()
    keys: set[bytes] = set()
    for lane in (1, 2, 3):
        unit = MemoryUnit(MemoryFlash(lane.to_bytes(8)), entropy=random.Random(lane).randbytes, clock=clock)
        host = Unit(f"unit {lane}", Link(unit, 5.0), BindingStore(tmp_path / str(lane), lambda **_: ()))
        host.bind(host.provision(public_network(), lane))
        keys.add(host.next_key(256).data)
        host.close()
    assert len(keys) == 1
