# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Removal of an unfinished folder, or of a part of it, by descriptors."""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_ALL = 0o700
NO_SUCH_MODE = {errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}  # of file systems without such modes: FAT


def remove_after(directory: int, name: str) -> None:
    """Remove everything with a later name than this from an open folder. OSError."""
    for each in _names(directory):
        if each > name:
            _remove(each, directory)


def remove_folder(path: Path) -> None:
    """Remove a folder and all in it, if it is there. OSError."""
    with contextlib.suppress(FileNotFoundError):
        descriptor = open_again(path)
        try:
            remove_after(descriptor, "")
        finally:
            os.close(descriptor)
        path.rmdir()


def open_again(name: Path | str, directory: int | None = None) -> int:
    """Open a folder of an unfinished one; it may have its mode already, one that keeps its owner out. OSError."""
    allow(name, directory)
    return os.open(name, _FOLDER, dir_fd=directory)


def allow(name: Path | str, directory: int | None = None) -> None:
    """Let the owner of a file or folder read and change it. OSError, also if it is a link."""
    status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    try:
        os.chmod(name, _ALL, dir_fd=directory)
    except OSError as error:
        if error.errno not in NO_SUCH_MODE or os.geteuid() not in (0, status.st_uid):
            raise


def _names(directory: int) -> Iterator[str]:
    with os.scandir(directory) as found:
        for each in found:
            yield each.name


def _remove(name: str, directory: int) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except (IsADirectoryError, PermissionError):  # Linux, macOS
        descriptor = open_again(name, directory)
        try:
            remove_after(descriptor, "")
        finally:
            os.close(descriptor)
        os.rmdir(name, dir_fd=directory)
