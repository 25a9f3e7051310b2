# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of boot.py: the USB devices of a unit."""

from pathlib import Path

import pytest

from firmware.stand_ins import Chip


@pytest.fixture
def chip(tmp_path: Path) -> Chip:
    return Chip(tmp_path)


def test_a_unit_shows_its_data_port_and_nothing_else(chip: Chip) -> None:
    chip.boot()
    assert (chip.usb.data, chip.usb.console, chip.usb.drive, chip.usb.hid, chip.usb.midi) == (True, *[False] * 4)


def test_the_jumper_brings_console_and_drive_back(chip: Chip) -> None:
    chip.jumper.grounded = True
    chip.boot()
    assert (chip.usb.data, chip.usb.console, chip.usb.drive, chip.usb.hid, chip.usb.midi) == (
        True,
        True,
        True,
        False,
        False,
    )


def test_the_jumper_counts_at_each_start(chip: Chip) -> None:
    for grounded in (True, False, True):
        chip.jumper.grounded = grounded
        chip.boot()
        assert chip.usb.console is chip.usb.drive is grounded
        assert not chip.jumper.in_use, "the pin is left free"


def test_without_the_jumper_the_unit_may_write_its_drive(chip: Chip) -> None:
    chip.boot()
    assert not chip.drive.readonly


@pytest.mark.parametrize("jumper", [False, True])
def test_names_that_hosts_show(chip: Chip, jumper: bool) -> None:
    chip.jumper.grounded = jumper
    chip.boot()
    assert (chip.usb.manufacturer, chip.usb.product) == ("NDKS", "NDKS unit")


@pytest.mark.parametrize("jumper", [False, True])
def test_nothing_is_printed_or_written(chip: Chip, capfd: pytest.CaptureFixture[str], jumper: bool) -> None:
    before = chip.drive.content
    chip.jumper.grounded = jumper
    chip.boot()
    assert capfd.readouterr() == ("", "")
    assert chip.drive.content == before
    assert (chip.sector.content.strip(b"\xff"), chip.drive.syncs) == (b"", 0)
