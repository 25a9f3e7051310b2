# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit's life on an emulated chip: the firmware in CircuitPython behind `ndks emulate --chip`."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from support.control import Controlled, controlled
from support.emulate_process import PATIENCE, wait_until
from support.public_network import public_network
from support.reference import exported_key

import ndks
from ndks.board import chips
from ndks_chip import Chip
from ndks_chip.fat12 import new_drive, read_drive
from ndks_chip.layout import version_of

pytestmark = pytest.mark.chip
MS = 1_000_000  # nanoseconds
LONG = 90.0  # seconds for a start on a busy machine


@contextlib.contextmanager
def on_chip(directory: Path, *options: str) -> Iterator[Controlled]:
    with controlled(directory, "--chip", os.environ["NDKS_UF2"], "--speed", "max", *options) as chip:
        yield chip


@pytest.fixture
def chip(tmp_path: Path) -> Iterator[Controlled]:
    with on_chip(tmp_path / "alice", "--link", str(tmp_path / "port"), "--console", str(tmp_path / "console")) as chip:
        wait_for(chip, "ready")
        yield chip


def wait_for(chip: Controlled, state: str) -> None:
    for _ in range(round(LONG / PATIENCE)):
        with contextlib.suppress(AssertionError):
            wait_until(lambda: chip.control.status()["state"] == state, state)
            return
    raise AssertionError(f"the chip is not {state}: {chip.control.status()}")


def opened(port: str) -> ndks.Unit:
    return ndks.open(port, LONG)


def make_member(port: str) -> None:
    with opened(port) as unit:
        unit.bind(unit.provision(public_network(), 1))


def check_next_key(port: str, index: int) -> None:
    with opened(port) as unit:
        key = unit.next_key(256)
    assert (key.index, key.data) == (index, exported_key(public_network(), index, 0, 32))


def test_a_life(chip: Controlled) -> None:
    with opened(chip.port) as unit:
        assert unit.status().state == "blank"
    make_member(chip.port)
    check_next_key(chip.port, 1)
    with opened(chip.port) as unit:
        capsule = unit.seal(b"Meet me at noon.")
        unit.acknowledge(0, 10)
    for again in ("reset", "power off", "cable out", "line drop"):
        before = chip.control.status()["restarts"]
        chip.control.do(again)
        if again == "power off":
            chip.control.do("power on")
        if again == "cable out":
            chip.control.do("cable in")
        if again == "reset":
            wait_until(lambda before=before: chip.control.status()["restarts"] > before, "the reset")
        wait_for(chip, "ready")
        with opened(chip.port) as unit:
            assert unit.next_index() == (0, 11)
    with opened(chip.port) as unit:
        assert unit.status().reset_reason in ("power on", "other")
        assert unit.seal(capsule) != capsule
        unit.zeroize()
    with opened(chip.port) as unit:
        assert unit.status().state == "blank"


def test_a_killed_process_is_a_power_cut(tmp_path: Path) -> None:
    with on_chip(tmp_path / "alice") as chip:
        make_member(chip.port)
        check_next_key(chip.port, 1)
        chip.process.end(signal.SIGKILL)
    with on_chip(tmp_path / "alice") as chip:
        check_next_key(chip.port, 2)


def test_power_cut_in_a_request(chip: Controlled) -> None:
    make_member(chip.port)
    chip.control.do("power cut 1")
    with pytest.raises(ndks.NdksError), opened(chip.port) as unit:
        unit.next_key(256)
    chip.control.wait_for_cut()
    chip.control.do("power on")
    with opened(chip.port) as unit:
        assert unit.next_index() in ((0, 1), (0, 2))


def test_a_touch_leads_to_the_bootloader_and_a_reset_back(chip: Controlled) -> None:
    serial.Serial(chip.port, 1200).close()
    wait_for(chip, "bootloader")
    chip.control.do("reset")
    wait_for(chip, "ready")
    chip.control.do("touch")
    wait_for(chip, "bootloader")
    chip.control.do("power off")
    chip.control.do("power on")
    with opened(chip.port) as unit:
        assert unit.status().state == "blank"


def test_bootsel_at_a_reset_leads_to_the_bootloader(chip: Controlled) -> None:
    chip.control.do("bootsel on")
    chip.control.do("reset")
    wait_for(chip, "bootloader")
    chip.control.do("bootsel off")
    chip.control.do("reset")
    wait_for(chip, "ready")


def test_bootsel_in_the_first_second_leads_to_safe_mode(tmp_path: Path) -> None:
    """SECURITY.md: boot.py does not run then, and whoever is at the console can read the flash."""
    with chips.open_chip(tmp_path / "alice", create=True) as directory:
        chips.install(directory, chips.read_image(Path(os.environ["NDKS_UF2"])), lambda _: None)
        chip = Chip(bytearray(directory.load()), uid=directory.uid)
    said = bytearray()
    chip.console.on_data = said.extend
    chip.run(400 * MS)
    chip.set_bootsel(True)
    chip.run(10 * MS)
    chip.set_bootsel(False)
    for _ in range(8000):
        chip.run(MS)
        if chip.console.is_ready and not chip.console.pending and b"safe mode" not in said:
            chip.console.write(b"\r")
    assert b"safe mode" in said


def test_jumper_gives_the_console(chip: Controlled, tmp_path: Path) -> None:
    chip.control.do("jumper on")
    chip.control.do("reset")
    wait_until(lambda: chip.control.status()["restarts"] == 1, "the reset")
    wait_for(chip, "ready")
    with serial.Serial(str(tmp_path / "console"), timeout=LONG) as console:
        console.write(b"\x03")  # the firmware stops
        assert b"Press any key to enter the REPL" in console.read_until(b"reload.\r\n")
        console.write(b"\r")
        console.read_until(b">>> ")
        console.write(b"print(6 * 7)\r")
        assert b"42\r\n" in console.read_until(b">>> ")


def test_an_open_case_erases(chip: Controlled) -> None:
    make_member(chip.port)
    chip.control.do("case open")
    with opened(chip.port) as unit:
        assert unit.status(unlock=False).state == "tampered"


def test_the_drive_is_like_one_of_circuitpython(tmp_path: Path) -> None:
    """CircuitPython makes a drive on a chip that has none: ours has the same geometry and files."""
    image = chips.read_image(Path(os.environ["NDKS_UF2"]))
    with chips.open_chip(tmp_path / "own", create=True) as directory:
        chips.install(directory, image, lambda _: None)
        ours = directory.drive
    with chips.open_chip(tmp_path / "theirs", create=True) as directory:
        directory.replace(firmware=image)
    with controlled(tmp_path / "theirs", "--speed", "max", "--console", str(tmp_path / "console")) as chip:
        wait_until(lambda: chip.control.status()["seconds"] > 8, "the first start")
        with serial.Serial(str(tmp_path / "console"), timeout=LONG) as console:
            console.write(b"\r")
            assert console.read(1)
    with chips.open_chip(tmp_path / "theirs") as directory:
        theirs = directory.drive
    assert theirs[11:36] == ours[11:36]
    found = read_drive(theirs)
    assert found.pop("boot_out.txt").startswith(version_of(image).encode())
    assert found.pop("code.py") == b'print("Hello World!")\n'
    assert found == new_drive()
