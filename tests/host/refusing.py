# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Simulated file systems that refuse some operations: the system calls are replaced."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

DIRECTORIES_CANNOT_BE_SYNCED = [errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, errno.EISDIR]


def refuse(number: int, name: object = None) -> OSError:
    return OSError(number, os.strerror(number), name)


def refuse_fsync(monkeypatch: pytest.MonkeyPatch, number: int, is_refused: Callable[[int], bool]) -> None:
    """Make fsync fail for files with these modes."""
    fsync = os.fsync

    def fsync_or_refuse(descriptor: int) -> None:
        if is_refused(os.fstat(descriptor).st_mode):
            raise refuse(number)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync_or_refuse)


def refuse_fsync_of_directories(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    refuse_fsync(monkeypatch, number, stat.S_ISDIR)


def refuse_names(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Make linkat fail for files without a name only."""
    link = os.link

    def link_or_refuse(source: Any, target: Any, **options: Any) -> None:
        if "src_dir_fd" in options and not os.path.lexists(target):  # the kernel detects an existing target first
            raise refuse(number, str(target))
        link(source, target, **options)

    monkeypatch.setattr(os, "link", link_or_refuse)


@contextmanager
def append_only(directory: Path) -> Iterator[None]:
    """Make a directory append-only, like `chattr +a`: names can be added, but neither changed nor removed."""
    import subprocess

    done = subprocess.run(["chattr", "+a", str(directory)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("root alone can do that, and not on every file system")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-a", str(directory)], check=True)
