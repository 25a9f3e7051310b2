# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The unit inside the host's process: its power stays unless a test cuts it, and closing is always safe."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ndks_emulator import InProcessUnit, PowerCut, UnitDirectory, emulator
from ndks_emulator.board import EmulatedBoard


class Firmware:
    """Writes to flash what it is told, answers with what was there."""

    def __init__(self, board: EmulatedBoard) -> None:
        self._board = board
        self._before = board.nvm_read(0, 1)

    def poll(self) -> None:
        data = self._board.read()
        self._board.nvm_write(0, data)
        self._board.write(self._before + bytes((self._board.reset_reason, self._board.case_open)))


@pytest.fixture
def unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InProcessUnit]:
    monkeypatch.setattr(emulator, "Unit", Firmware)
    unit = InProcessUnit(tmp_path, create=True)
    yield unit
    unit.close()


def test_power_stays(unit: InProcessUnit) -> None:
    for value in (b"a", b"b"):
        unit.write(value)
    assert unit.read() == b"\xff\0\0" * 2
    assert unit.read() == b""


def test_power_that_is_cut_stays_off_until_it_is_back(unit: InProcessUnit) -> None:
    unit.power.steps_left = 2
    for _ in range(2):
        with pytest.raises(PowerCut):
            unit.write(b"a")
        assert unit.read() == b""
    unit.power.restore()
    unit.write(b"b")
    assert unit.read() == b"a\0\0", "it has started anew"


def test_closing_without_power_is_safe(unit: InProcessUnit, tmp_path: Path) -> None:
    unit.power.cut()
    with pytest.raises(PowerCut):
        unit.write(b"a")
    unit.close()
    unit.close()
    UnitDirectory(tmp_path, create=False).close()
