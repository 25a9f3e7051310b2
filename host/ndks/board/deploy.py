# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Deployment of the firmware to the CIRCUITPY drive of a board."""

import re
from pathlib import Path

from ndks_protocol.flash import SNAPSHOT_AT, SNAPSHOT_FILE_SIZE, SNAPSHOT_FILES, SNAPSHOT_SIZE

from ..exceptions import FileError, UsageError, reason
from ..files import read_small
from . import settings
from .drive import Tell, replace_files, write
from .firmware import PACKAGES, release_files, source_files, table_files
from .release.build import ENTRY

BOOT_OUT = "boot_out.txt"  # CircuitPython writes it to its drive at every start
_VERSION = re.compile(r"Adafruit CircuitPython (\d+)\.")
_BOARD = "Raspberry Pi Pico with rp2040"  # a Pico W has less memory
FITS = 10  # the version of CircuitPython whose bytecode the release build is
_SETTINGS = "settings.toml"


def check_drive(drive: Path, *, source: bool = False) -> str:
    """Return the first line of boot_out.txt. UsageError unless this is the drive of a supported board."""
    if not drive.is_dir():
        raise UsageError(f"there is no directory {drive}", _JUMPER)
    try:
        line = read_small(drive / BOOT_OUT).decode(errors="replace").splitlines()[0]
    except (OSError, IndexError):
        raise UsageError(f"{drive} is not a CIRCUITPY drive: it has no {BOOT_OUT}", _JUMPER) from None
    version = supported_version(line)
    if version < FITS:
        raise UsageError(f"{drive} says: {line}", f"install CircuitPython {FITS} for the Raspberry Pi Pico first")
    if version > FITS and not source:
        advice = f"install CircuitPython {FITS} or a newer ndks, or try --source"
        raise UsageError(f"{drive} says: {line}; this ndks has bytecode for CircuitPython {FITS} only", advice)
    return line


def supported_version(line: str) -> int:
    """Return the major version in the first line of boot_out.txt; 0 if this is not a board that the firmware fits."""
    version = _VERSION.search(line)
    return int(version[1]) if version and _BOARD in line else 0


def deploy(drive: Path, tell: Tell, *, source: bool = False) -> list[str]:
    """Put the firmware and the snapshot files on the drive, and remove stale modules; return the firmware's paths.

    Say what is done. State on the drive stays as it is, and so do the user's settings. UsageError, FileError.
    """
    check_drive(drive, source=source)
    files = table_files() | (source_files() if source else release_files())
    try:
        _merge_settings(drive / _SETTINGS, tell)
        for name in SNAPSHOT_FILES:
            _make_snapshot(drive / name)
        replace_files(drive, files, PACKAGES, ENTRY, tell)
    except OSError as error:
        raise FileError(
            f"{drive} cannot be written: {reason(error)}",
            "free space on the drive, or plug the board in again with the jumper on, and repeat",
        ) from None
    return list(files)


_JUMPER = "bridge pins 3 and 4 (GND and GP2), plug the board in, and name the drive that appears"


def _merge_settings(path: Path, tell: Tell) -> None:
    """Add the firmware's settings to the user's. A copy is complete before the file is replaced."""
    before = read_small(path) if path.exists() else b""
    content, replaced = settings.merged(before)
    if content == before:
        return
    copy = path.with_name(f"{path.name}.new")
    write(copy, content)
    copy.replace(path)
    for text in replaced:
        tell(text)


def _make_snapshot(path: Path) -> None:
    """Create a snapshot file or bring it to its full size; keep the state in it."""
    content = path.read_bytes() if path.exists() else b""
    if len(content) < SNAPSHOT_AT + SNAPSHOT_SIZE:
        content = b""  # too short for a snapshot; an older firmware stored secrets in the clear
    if len(content) != SNAPSHOT_FILE_SIZE:
        write(path, content[:SNAPSHOT_FILE_SIZE].ljust(SNAPSHOT_FILE_SIZE, b"\xff"))
