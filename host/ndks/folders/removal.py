# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Removal of an unfinished folder, or of a part of it, by descriptors."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_ALL = 0o700


def remove_after(directory: int, name: str) -> None:
    """Remove all that has a later name than this from an open folder. OSError."""
    for each in _names(directory):
        if each > name:
            _remove(each, directory)


def remove_folder(path: Path) -> None:
    """Remove a folder and all in it, if it is there. OSError."""
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(path, _FOLDER)
        try:
            remove_after(descriptor, "")
        finally:
            os.close(descriptor)
        path.rmdir()


def _names(directory: int) -> Iterator[str]:
    with os.scandir(directory) as found:
        for each in found:
            yield each.name


def _remove(name: str, directory: int) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except (IsADirectoryError, PermissionError):  # Linux, macOS
        os.chmod(name, _ALL, dir_fd=directory)
        descriptor = os.open(name, _FOLDER, dir_fd=directory)
        try:
            remove_after(descriptor, "")
        finally:
            os.close(descriptor)
        os.rmdir(name, dir_fd=directory)
