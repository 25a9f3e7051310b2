# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files on the CIRCUITPY drive of a board, which may be unplugged at any moment.

Strategy: code.py, which alone starts the firmware, is removed before any other file changes, and is written when all
others are complete. So a board starts a complete firmware or none. What is already the same is not touched: a repeated
deployment changes nothing, and an interrupted one is completed.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ..exceptions import FileError
from ..on_disk import sync_directory, where_supported

Tell = Callable[[str], object]


def replace_files(drive: Path, files: Mapping[str, bytes], packages: tuple[str, ...], last: str, tell: Tell) -> None:
    """Make `files` the only ones below lib/ of these packages; file `last` is absent meanwhile. FileError, OSError."""
    stale = [path for package in packages for path in _files_below(drive / "lib" / package)]
    stale = [path for path in stale if path.relative_to(drive).as_posix() not in files]
    if stale or any(not _has(drive / name, content) for name, content in files.items()):
        (drive / last).unlink(missing_ok=True)
        sync_directory(drive, f"{last} is removed")
    for path in stale:
        path.unlink()
    for package in packages:
        _remove_empty_folders(drive / "lib" / package)
    for name, content in sorted(files.items(), key=lambda item: item[0] == last):
        tell(f"copying {name}")
        write(drive / name, content)


def write(target: Path, content: bytes) -> None:
    """Write a file unless it has this content, to spare the flash, and read it back. FileError, OSError."""
    if _has(target, content):
        return
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


def _has(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _files_below(root: Path) -> Iterator[Path]:
    shutil.rmtree(root / "__pycache__", ignore_errors=True)
    yield from (path for path in sorted(root.rglob("*")) if not path.is_dir())


def _remove_empty_folders(root: Path) -> None:
    for path in sorted(root.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
