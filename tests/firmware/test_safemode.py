# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of safemode.py: a unit restarts by itself unless the user has requested safe mode."""

from pathlib import Path

import pytest

from firmware.stand_ins import Chip


@pytest.fixture
def chip(tmp_path: Path) -> Chip:
    return Chip(tmp_path)


@pytest.mark.parametrize("reason", ["BROWNOUT", "HARD_FAULT", "NO_HEAP", "WATCHDOG", "USB_BOOT_DEVICE_NOT_INTERFACE"])
def test_after_a_fault_the_unit_starts_again(chip: Chip, reason: str) -> None:
    chip.enter_safe_mode(reason)
    assert chip.resets == 1


def test_faults_at_each_start_leave_a_host_time_to_see_the_drive(chip: Chip) -> None:
    chip.enter_safe_mode("HARD_FAULT")
    assert chip.clock.ms >= 1000


def test_holding_the_button_keeps_safe_mode(chip: Chip) -> None:
    chip.enter_safe_mode("USER")
    assert (chip.resets, chip.clock.ms) == (0, 0)


@pytest.mark.parametrize("reason", ["USER", "BROWNOUT"])
def test_nothing_is_printed_or_written(chip: Chip, capfd: pytest.CaptureFixture[str], reason: str) -> None:
    before = chip.drive.content
    chip.enter_safe_mode(reason)
    assert capfd.readouterr() == ("", "")
    assert chip.drive.content == before
    assert chip.sector.content.strip(b"\xff") == b""
