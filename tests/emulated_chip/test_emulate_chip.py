# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks emulate --chip` in a process, with an image that the boot ROM cannot start: files, output, refusals."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from emulated_chip.thumb import uf2
from support.control import controlled
from support.emulate_process import PATIENCE, emulated, wait_until

import ndks
from ndks.board import chips
from ndks.board.firmware import release_files
from ndks_chip.fat12 import make_drive, new_drive, read_drive
from ndks_chip.layout import DRIVE_AT, FLASH_SIZE
from ndks_emulator.chip.directory import ChipDirectory
from ndks_protocol.flash import SNAPSHOT_FILES

PICO = "Raspberry Pi Pico with rp2040"
VERSION = f"Adafruit CircuitPython 10.9.9 on 2026-01-02; {PICO}"
KEPT = b"state of the unit"
SETTINGS = b"NDKS_CASE_LOOP = 1\n"


def image(path: Path, version: str = VERSION) -> Path:
    """Make an image that says what it is and does nothing."""
    path.write_bytes(uf2(bytes(512) + version.encode() + b"\0"))
    return path


@pytest.fixture
def firmware(tmp_path: Path) -> Path:
    return image(tmp_path / "firmware.uf2")


def command(*words: str | Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "ndks", *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, timeout=PATIENCE, check=False)


def make_chip(directory: Path, firmware: Path) -> str:
    """Make a chip, end it, and return what it said."""
    with emulated(directory, "--chip", str(firmware)) as running:
        running.end(signal.SIGTERM)
        assert running.process.stderr
        return running.process.stderr.read()


def test_a_new_chip_has_firmware_and_the_units_code(tmp_path: Path, firmware: Path) -> None:
    said = make_chip(tmp_path / "chip", firmware)
    assert said.startswith(f"ndks: a new chip with {VERSION}; its drive gets the unit's code\nndks: chip ")
    with ChipDirectory(tmp_path / "chip", create=False) as chip:
        assert chip.firmware.startswith(bytes(512) + VERSION.encode())
        drive = read_drive(chip.drive)
    assert set(drive) == {*new_drive(), "boot.py", "code.py", "safemode.py", *SNAPSHOT_FILES}
    assert drive["code.py"] == release_files()["code.py"]


def test_later_it_runs_without_an_image(tmp_path: Path, firmware: Path) -> None:
    make_chip(tmp_path / "chip", firmware)
    with emulated(tmp_path / "chip", "--json") as running:
        values = json.loads(running.announced)
        assert values["schema"] == 1
        assert len(values["serial_number"]) == 16
        running.end(signal.SIGTERM)
        assert running.process.stderr
        assert running.process.stderr.read().startswith(f"ndks: chip {values['serial_number']} in ")


def test_another_image_keeps_state_and_drive(tmp_path: Path, firmware: Path) -> None:
    make_chip(tmp_path / "chip", firmware)
    flash = bytearray((tmp_path / "chip" / "flash.bin").read_bytes())
    flash[DRIVE_AT - 4096 : DRIVE_AT - 4096 + len(KEPT)] = KEPT
    (tmp_path / "chip" / "flash.bin").write_bytes(flash)
    assert "another firmware" not in make_chip(tmp_path / "chip", firmware)
    newer = VERSION.replace("10.9.9", "10.10.0")
    said = make_chip(tmp_path / "chip", image(tmp_path / "newer.uf2", newer))
    assert f"ndks: the chip gets another firmware, {newer}; its state and its drive stay\n" in said
    found = (tmp_path / "chip" / "flash.bin").read_bytes()
    assert found[DRIVE_AT - 4096 :] == flash[DRIVE_AT - 4096 :]
    assert newer.encode() in found[:DRIVE_AT]


@pytest.mark.parametrize(
    "version",
    [
        "no CircuitPython at all",
        VERSION.replace("10.9.9", "9.2.4"),
        VERSION.replace(PICO, "Raspberry Pi Pico 2 with rp2350a"),
        VERSION.replace(PICO, "Feather RP2040 with rp2040"),
    ],
)
def test_a_wrong_image_is_refused_and_nothing_is_made(tmp_path: Path, version: str) -> None:
    done = command("emulate", tmp_path / "chip", "--chip", image(tmp_path / "other.uf2", version))
    assert (done.returncode, done.stdout) == (1, "")
    assert "other.uf2 is not CircuitPython 10 for the Raspberry Pi Pico" in done.stderr
    assert "https://circuitpython.org/board/raspberry_pi_pico/" in done.stderr
    assert not (tmp_path / "chip").exists()


def test_a_damaged_or_missing_image_is_refused(tmp_path: Path, firmware: Path) -> None:
    firmware.write_bytes(firmware.read_bytes()[:-1])
    for path in (firmware, tmp_path / "missing.uf2", tmp_path):
        done = command("emulate", tmp_path / "chip", "--chip", path)
        assert (done.returncode, done.stdout) == (1, "")
        assert str(path.name) in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "chip").exists()


def test_the_two_kinds_refuse_each_other(tmp_path: Path, firmware: Path) -> None:
    make_chip(tmp_path / "chip", firmware)
    with ndks.open(f"emulator:{tmp_path / 'unit'}", create=True):
        pass
    with pytest.raises(ndks.NoUnit, match="holds an emulated chip, not an emulated unit") as refused:
        ndks.open(f"emulator:{tmp_path / 'chip'}")
    assert "ndks emulate" in refused.value.advice
    done = command("emulate", tmp_path / "unit", "--chip", firmware)
    assert done.returncode == 3
    assert f"{tmp_path / 'unit'} holds an emulated unit, not an emulated chip" in done.stderr
    assert "omit --chip" in done.stderr


@pytest.mark.parametrize("options", [["--speed", "2"], ["--console", "x"]])
def test_options_of_a_chip_need_one(tmp_path: Path, options: list[str]) -> None:
    done = command("emulate", tmp_path / "unit", *options)
    assert done.returncode == 2
    assert "add --chip IMAGE" in done.stderr
    assert not (tmp_path / "unit").exists()


@pytest.mark.parametrize("speed", ["0", "-1", "fast", "nan", "inf", "1001"])
def test_impossible_speeds_are_refused(tmp_path: Path, firmware: Path, speed: str) -> None:
    done = command("emulate", tmp_path / "chip", "--chip", firmware, f"--speed={speed}")
    assert done.returncode == 2
    assert "neither max nor a number" in done.stderr


def test_a_directory_of_something_else_is_refused(tmp_path: Path, firmware: Path) -> None:
    done = command("emulate", tmp_path, "--chip", firmware)
    assert (done.returncode, done.stdout) == (3, "")
    assert "is not empty and has no emulated chip" in done.stderr


def test_deploy_brings_the_drive_up_to_date(tmp_path: Path, firmware: Path) -> None:
    directory = tmp_path / "chip"
    make_chip(directory, firmware)
    with chips.open_chip(directory) as chip:
        drive = read_drive(chip.drive)
        before = {**drive, "code.py": b"old", "settings.toml": SETTINGS, SNAPSHOT_FILES[0]: bytes(12288)}
        chip.replace(drive=make_drive(before))
    ours = drive["settings.toml"]
    assert isinstance(ours, bytes)
    settings = SETTINGS + ours  # the user's stay
    done = command("deploy", directory, "--json")
    assert set(json.loads(done.stdout)["files"]) > set(release_files())
    with chips.open_chip(directory) as chip:
        assert read_drive(chip.drive) == {**before, "code.py": drive["code.py"], "settings.toml": settings}


def test_deploy_waits_for_nobody(tmp_path: Path, firmware: Path) -> None:
    with emulated(tmp_path / "chip", "--chip", str(firmware)):
        assert command("deploy", tmp_path / "chip").returncode == 4


def test_deploy_refuses_a_damaged_drive(tmp_path: Path, firmware: Path) -> None:
    make_chip(tmp_path / "chip", firmware)
    with chips.open_chip(tmp_path / "chip") as chip:
        chip.replace(drive=bytes(FLASH_SIZE - DRIVE_AT))
    done = command("deploy", tmp_path / "chip")
    assert done.returncode == 1
    assert "cannot be read" in done.stderr


@pytest.mark.parametrize("start", ["../x.", "c/de.", "c\1de."])
def test_deploy_writes_no_file_beside_its_copy_of_a_drive(start: str, tmp_path: Path, firmware: Path) -> None:
    before, after = "code.".encode("utf-16-le"), start.encode("utf-16-le")  # code.py, in an entry for its long name
    make_chip(tmp_path / "chip", firmware)
    with chips.open_chip(tmp_path / "chip") as chip:
        assert chip.drive.count(before) == 1
        chip.replace(drive=chip.drive.replace(before, after))
    done = command("deploy", tmp_path / "chip")
    assert done.returncode == 1
    assert "impossible name" in done.stderr


def test_an_unfinished_chip_says_what_it_lacks(tmp_path: Path, firmware: Path) -> None:
    ChipDirectory(tmp_path / "chip", create=True).close()  # killed before its flash was written
    done = command("emulate", tmp_path / "chip")
    assert done.returncode == 3
    assert "has no firmware yet. Do: add --chip IMAGE" in done.stderr
    assert "a new chip with" in make_chip(tmp_path / "chip", firmware)


def test_lines_control_and_notice(tmp_path: Path, firmware: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chip waits in its bootloader, because the boot ROM finds no second stage in this image."""
    monkeypatch.setenv("NDKS_HOME", str(tmp_path / "home"))
    link, console = tmp_path / "port", tmp_path / "console"
    with controlled(
        tmp_path / "chip", "--chip", str(firmware), "--link", str(link), "--console", str(console), "--speed", "max"
    ) as chip:
        assert chip.port == str(link)
        assert link.is_char_device()
        assert console.is_char_device()
        assert link.readlink() != console.readlink()
        wait_until(lambda: chip.control.status()["state"] == "bootloader", "the bootloader")
        assert f"emulated in {tmp_path / 'chip'}" in command("list").stdout
        chip.control.do("power off")
        assert not link.exists()
        assert chip.control.do("power on") == str(link)
        chip.process.end(signal.SIGTERM)
        assert chip.process.process.stderr
        said = chip.process.process.stderr.read()
    assert "the chip is in its bootloader and waits for an image" in said
    assert "unplugged" in said
    assert not link.is_symlink()
    assert not console.is_symlink()


def test_without_ndks_chip_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ndks_chip", None)
    with pytest.raises(ndks.UsageError, match="needs the package ndks-chip") as refused:
        chips.need_ndks_chip()
    assert refused.value.advice == "in the clone, run make chip, or pip install ./emulator/chip"
