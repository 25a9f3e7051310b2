# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Copies of flash: the content of files, or of directories of them."""

from collections.abc import Iterable, Iterator
from pathlib import Path


def contents_of(paths: Iterable[Path]) -> Iterator[bytes]:
    """Yield the content of each file that exists; for a directory, that of all files in it."""
    for path in paths:
        files = (
            sorted(each for each in path.rglob("*") if each.is_file())
            if path.is_dir()
            else [path]
            if path.exists()
            else []
        )
        for file in files:
            yield file.read_bytes()
