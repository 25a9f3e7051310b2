# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files that hold secrets: 0600, whole or not there at all, never overwritten unasked."""

import contextlib
import os
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

from .exceptions import FileError


def refuse_existing(path: Path, force: bool) -> None:
    """Raise FileError when `path` exists and may not be overwritten."""
    if not path.parent.is_dir():
        raise FileError(f"there is no directory {path.parent}", "make it first, or name another")
    if path.exists() and not path.is_file():
        raise FileError(f"{path} is no regular file", "name another, or use - for stdout")
    if path.exists() and not force:
        raise FileError(f"{path} exists", "name another file, or repeat with --force to overwrite it")


@contextlib.contextmanager
def private_file(path: Path) -> Generator[BinaryIO]:
    """Write a file of mode 0600 that is whole and on the disk at the end, or leave what was there before. OSError."""
    path = path.resolve()  # a link is followed, not replaced
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mkstemp makes it 0600
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        replace_durably(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_private(path: Path, data: bytes) -> None:
    """Write all of a file at once, as `private_file` does."""
    with private_file(path) as file:
        file.write(data)


def replace_durably(source: Path, target: Path) -> None:
    """Rename a file, and return when the new name is on the disk."""
    source.replace(target)
    if os.name == "posix":  # elsewhere directories cannot be opened
        directory = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
