# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The directory of all files of a demonstration."""

import contextlib
import tempfile
from collections.abc import Generator
from pathlib import Path

from ndks.exceptions import FileError


@contextlib.contextmanager
def new_directory(named: Path | None) -> Generator[Path]:
    """Make the directory with this name, or one that is removed at the end. FileError: it is not empty."""
    if named is None:
        with tempfile.TemporaryDirectory(prefix="ndks-") as name:
            yield Path(name).resolve()
        return
    named.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(named.iterdir()):
        raise FileError(f"{named} is not empty", "name a new directory")
    yield named.resolve()
