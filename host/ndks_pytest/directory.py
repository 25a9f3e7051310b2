# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The directory of one test's units: in memory where the system has a file system there, as units sync each step."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 (directories in it have random names and mode 0700)
_PREFIX = "ndks-pytest-"
_FRESH = 60.0  # seconds in which a new directory gets its lock, by far


@contextlib.contextmanager
def made_directory(tmp_path: Path) -> Generator[Path]:
    """Make a directory, and remove it at the end; in `tmp_path` if there is none in memory."""
    lock = -1
    try:
        directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_MEMORY))
        lock = _locked(directory)
        _remove_abandoned()
    except (OSError, ImportError):
        directory = Path(tempfile.mkdtemp(prefix="ndks-", dir=tmp_path))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)
        if lock >= 0:
            os.close(lock)


def _locked(directory: Path) -> int:
    """Lock a directory until the descriptor is closed, also by the end of this process. OSError: it is locked."""
    import fcntl  # not on every platform

    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove_abandoned() -> None:
    """Remove the directories of tests that were killed: nothing else frees their memory."""
    for path in _MEMORY.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # it is in use, of another user, or gone meanwhile
            if time.time() - path.stat().st_mtime > _FRESH:
                lock = _locked(path)
                shutil.rmtree(path, ignore_errors=True)
                os.close(lock)
