# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Deployment of the firmware, without comments, to the CIRCUITPY drive of a board."""

import importlib.util
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from ndks_protocol.cell_tables import CELL_BITS, file_name
from ndks_protocol.flash import SNAPSHOT_AT, SNAPSHOT_FILE_SIZE, SNAPSHOT_FILES, SNAPSHOT_SIZE

from ..exceptions import FileError, NdksError, UsageError, reason
from ..files import read_small, where_supported
from ..shipped import CIRCUITPY
from .source import for_board
from .tables import table_file

PACKAGES = ("ndks_protocol", "ndks_unit")
BOOT_OUT = "boot_out.txt"  # CircuitPython writes it to its drive at every start
_VERSION = re.compile(r"Adafruit CircuitPython (\d+)\.")
OLDEST = 10


def firmware_files() -> dict[str, Path]:
    """Return the source path of each firmware file by its path on the drive; works in a clone and in a wheel."""
    files: dict[str, Path] = {}
    for package in PACKAGES:
        root = _package(package)
        for source in sorted(root.rglob("*.py")):
            files[f"lib/{package}/{source.relative_to(root).as_posix()}"] = source
    for name in ("safemode.py", "boot.py", "code.py"):  # last, so that a new board never starts a half-copied library
        files[name] = CIRCUITPY / name
    return files


def table_files() -> dict[str, bytes]:
    """Return the tables of the fast generator by their paths on the drive."""
    return {f"lib/ndks_unit/{file_name(digits)}": table_file(digits) for digits in CELL_BITS}


def check_drive(drive: Path) -> str:
    """Return the first line of boot_out.txt. UsageError unless this is the drive of a supported board."""
    if not drive.is_dir():
        raise UsageError(f"there is no directory {drive}", _JUMPER)
    try:
        line = read_small(drive / BOOT_OUT).decode(errors="replace").splitlines()[0]
    except (OSError, IndexError):
        raise UsageError(f"{drive} is not a CIRCUITPY drive: it has no {BOOT_OUT}", _JUMPER) from None
    if not is_supported(line):
        raise UsageError(f"{drive} says: {line}", f"install CircuitPython {OLDEST} for the Raspberry Pi Pico first")
    return line


def is_supported(line: str) -> bool:
    """Return whether the first line of boot_out.txt is that of a board that the firmware runs on."""
    version = _VERSION.search(line)
    return bool(version) and int(version[1]) >= OLDEST and "Raspberry Pi Pico" in line and "rp2040" in line


def deploy(drive: Path, progress: Callable[[str], object]) -> list[str]:
    """Copy the firmware, remove stale modules and create the snapshot files; return the paths of the copied files.

    Call `progress` with the path of each file on the drive. State on the drive stays as it is. FileError.
    """
    check_drive(drive)
    files = firmware_files()
    try:
        tables = table_files()
        _remove_stale(drive, {*tables, *files})
        for name, content in tables.items():
            progress(name)
            _copy(content, drive / name)
        for name, source in files.items():
            progress(name)
            _copy(for_board(source.read_text(encoding="utf-8")).encode(), drive / name)
        for name in SNAPSHOT_FILES:
            _make_snapshot(drive / name)
    except OSError as error:
        raise FileError(
            f"{drive} cannot be written: {reason(error)}",
            "free space on the drive, or plug the board in again with the jumper on, and repeat",
        ) from None
    return [*tables, *files]


_JUMPER = "bridge pins 3 and 4 (GND and GP2), plug the board in, and name the drive that appears"


def _make_snapshot(path: Path) -> None:
    """Create a snapshot file or bring it to its full size; keep the state in it."""
    content = path.read_bytes() if path.exists() else b""
    if len(content) < SNAPSHOT_AT + SNAPSHOT_SIZE:
        content = b""  # too short for a snapshot; an older firmware stored secrets in the clear
    if len(content) != SNAPSHOT_FILE_SIZE:
        _copy(content[:SNAPSHOT_FILE_SIZE].ljust(SNAPSHOT_FILE_SIZE, b"\xff"), path)


def _copy(content: bytes, target: Path) -> None:
    if target.exists() and target.read_bytes() == content:
        return  # spare the flash
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        file.write(content)
        file.flush()
        with where_supported():
            os.fsync(file.fileno())
    if target.read_bytes() != content:
        raise FileError(
            f"{target} reads back other bytes than were written",
            "repeat; if the error stays, the board's flash is worn",
        )


def _remove_stale(drive: Path, names: set[str]) -> None:
    for package in PACKAGES:
        root = drive / "lib" / package
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.relative_to(drive).as_posix() not in names:
                path.unlink()
        shutil.rmtree(root / "__pycache__", ignore_errors=True)


def _package(name: str) -> Path:
    # Not imported: the host only copies the code of the unit.
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise NdksError(f"the package {name} is missing", "install ndks again")
    return Path(spec.origin).parent
