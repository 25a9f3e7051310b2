# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The directory of a chip: its kind, its flash, and power cuts at any step."""

import shutil
from pathlib import Path

import pytest

from ndks_chip.layout import DRIVE_AT, FLASH_SIZE, NVM_AT, version_of
from ndks_emulator import (
    CHIP,
    UNIT,
    DirectoryError,
    DirectoryInUse,
    NoUnitThere,
    OtherKind,
    UnitDirectory,
    kind_of,
)
from ndks_emulator.chip.directory import ChipDirectory, NoFirmware

FIRMWARE = b"Adafruit CircuitPython 10.9.9 on 2026-01-02; Raspberry Pi Pico with rp2040\0"
DRIVE = b"drive".ljust(FLASH_SIZE - DRIVE_AT, b"\0")
SECTOR, PAGE = 4096, 256


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "chip"
    with ChipDirectory(path, create=True) as chip:
        chip.replace(firmware=FIRMWARE, drive=DRIVE)
    return path


def test_a_new_chip_is_private_and_has_no_firmware(tmp_path: Path) -> None:
    with ChipDirectory(tmp_path / "chip", create=True) as chip:
        assert len(chip.uid) == 8
        assert chip.is_new
        with pytest.raises(NoFirmware):
            chip.load()
        chip.replace(firmware=FIRMWARE, drive=DRIVE)
        assert not chip.is_new
    assert (tmp_path / "chip").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "chip").iterdir()} == {0o600}


def test_flash_has_firmware_nvm_and_drive(path: Path) -> None:
    with ChipDirectory(path, create=False) as chip:
        flash = chip.load()
    assert len(flash) == FLASH_SIZE
    assert flash[:NVM_AT] == FIRMWARE.ljust(NVM_AT, b"\xff")
    assert flash[NVM_AT:DRIVE_AT] == b"\xff" * 4096
    assert flash[DRIVE_AT:] == DRIVE
    assert version_of(flash) == FIRMWARE[:-1].decode()


def test_another_firmware_leaves_state_and_drive(path: Path) -> None:
    with ChipDirectory(path, create=False) as chip:
        flash = bytearray(chip.load())
        flash[NVM_AT : NVM_AT + PAGE] = b"s" * PAGE
        chip.step(flash, NVM_AT, PAGE)
        chip.replace(firmware=b"new")
        assert chip.load() == b"new".ljust(NVM_AT, b"\xff") + flash[NVM_AT:]


@pytest.mark.parametrize("of", [ChipDirectory, UnitDirectory])
def test_each_kind_refuses_the_other_by_name(of: type[ChipDirectory | UnitDirectory], tmp_path: Path) -> None:
    other: type[ChipDirectory | UnitDirectory] = UnitDirectory if of is ChipDirectory else ChipDirectory
    of(tmp_path / "a", create=True).close()
    before = sorted(tmp_path.glob("a/*"))
    with pytest.raises(OtherKind, match=f"{tmp_path / 'a'} holds an {of.kind}, not an {other.kind}"):
        other(tmp_path / "a", create=True)
    assert sorted(tmp_path.glob("a/*")) == before
    of(tmp_path / "a", create=False).close()


def test_kinds(tmp_path: Path, path: Path) -> None:
    UnitDirectory(tmp_path / "unit", create=True).close()
    assert [kind_of(tmp_path / name) for name in ("unit", "chip", "nothing")] == [UNIT, CHIP, ""]
    (tmp_path / "unit" / "kind").unlink()  # as an earlier version made it
    assert kind_of(tmp_path / "unit") == UNIT
    UnitDirectory(tmp_path / "unit", create=False).close()
    (path / "kind").write_text("toaster")
    with pytest.raises(OtherKind, match="toaster"):
        ChipDirectory(path, create=False)


def test_one_process_at_a_time(path: Path) -> None:
    with ChipDirectory(path, create=False), pytest.raises(DirectoryInUse):
        ChipDirectory(path, create=False)


def test_no_chip_is_made_unasked_or_in_a_full_directory(tmp_path: Path) -> None:
    with pytest.raises(NoUnitThere, match="no emulated chip"):
        ChipDirectory(tmp_path / "chip", create=False)
    (tmp_path / "letter.txt").write_text("dear Bob")
    with pytest.raises(DirectoryError, match="is not empty and has no emulated chip"):
        ChipDirectory(tmp_path, create=True)
    assert [file.name for file in tmp_path.iterdir()] == ["letter.txt"]


def test_flash_of_another_size_is_refused_and_kept(path: Path) -> None:
    (path / "flash.bin").write_bytes(b"cut short")
    with pytest.raises(DirectoryError, match=r"flash\.bin"):
        ChipDirectory(path, create=False)
    assert (path / "flash.bin").read_bytes() == b"cut short"


def test_a_copy_is_warned_of(path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.copytree(path, tmp_path / "copy")
    ChipDirectory(tmp_path / "copy", create=False).close()
    assert "never run two copies" in caplog.text


def test_each_step_is_in_the_file_at_once(path: Path) -> None:
    with ChipDirectory(path, create=False) as chip:
        flash = bytearray(chip.load())
        for at, content in ((NVM_AT, b"\xff" * SECTOR), (NVM_AT, b"a" * PAGE), (DRIVE_AT + PAGE, b"b" * PAGE)):
            flash[at : at + len(content)] = content
            chip.step(flash, at, len(content))
            assert (path / "flash.bin").read_bytes() == flash
        assert (chip.erases, chip.power.steps) == (1, 6)


@pytest.mark.parametrize(("steps", "erased", "programmed"), [(0, 0, 0), (1, 0.5, 0), (2, 1, 0), (3, 1, 0.5), (4, 1, 1)])
def test_a_power_cut_leaves_an_operation_undone_half_or_done(
    path: Path, steps: int, erased: float, programmed: float
) -> None:
    with ChipDirectory(path, create=False) as chip:
        before = bytearray(chip.load())
        flash = bytearray(before)
        chip.power.steps_left = steps
        flash[DRIVE_AT : DRIVE_AT + SECTOR] = b"\xff" * SECTOR
        chip.step(flash, DRIVE_AT, SECTOR)
        flash[DRIVE_AT : DRIVE_AT + PAGE] = bytes(range(PAGE))
        chip.step(flash, DRIVE_AT, PAGE)
        assert chip.power.on == (steps > 4)
        found = chip.load()[DRIVE_AT : DRIVE_AT + SECTOR]
    if erased < 1:
        half = int(erased * SECTOR)
        assert found == b"\xff" * half + before[DRIVE_AT + half : DRIVE_AT + SECTOR]
    elif programmed != 0.5:
        assert found[:PAGE] == (bytes(range(PAGE)) if programmed else b"\xff" * PAGE)
        assert found[PAGE:] == b"\xff" * (SECTOR - PAGE)
    else:
        assert found[:100] == bytes(range(100))
        assert found[200:] == b"\xff" * (SECTOR - 200)
