# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A board's drive for tests of `ndks deploy`."""

import functools
from pathlib import Path

import pytest

from ndks.board import firmware

BOOT_OUT = "Adafruit CircuitPython {} on 2025-10-17; Raspberry Pi Pico with {}\nBoard ID:raspberry_pi_pico\n"

made_once = functools.cache(firmware.release_files)  # takes two seconds


@pytest.fixture
def drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("ndks.board.deploy.release_files", made_once)
    drive = tmp_path / "CIRCUITPY"
    drive.mkdir()
    return prepare(drive)


def prepare(drive: Path, version: str = "10.0.3", chip: str = "rp2040") -> Path:
    (drive / "boot_out.txt").write_text(BOOT_OUT.format(version, chip))
    return drive


def files_on(drive: Path) -> dict[str, bytes]:
    return {path.relative_to(drive).as_posix(): path.read_bytes() for path in drive.rglob("*") if path.is_file()}
