# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files that hold secrets: 0600, whole or not there at all, never overwritten unasked."""

import os
import tempfile
from pathlib import Path

from .exceptions import FileError


def refuse_existing(path: Path, force: bool) -> None:
    """Raise FileError when `path` exists and may not be overwritten."""
    if path.exists() and not force:
        raise FileError(f"{path} exists", "name another file, or repeat with --force to overwrite it")


def write_private(path: Path, data: bytes) -> None:
    """Write a file of mode 0600 that is complete and on the disk, or leave what was there before. OSError."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mkstemp makes it 0600
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        replace_durably(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def replace_durably(source: Path, target: Path) -> None:
    """Rename a file, and return when the new name is on the disk."""
    source.replace(target)
    if os.name == "posix":  # elsewhere directories cannot be opened
        directory = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
