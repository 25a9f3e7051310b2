# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Locks of network files and administrators' files: one process at a time changes a file."""

import contextlib
import os
from collections.abc import Generator
from hashlib import sha256
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from .. import times
from ..exceptions import FileError, reason
from ..paths import follow, inherit_owner

_LONGEST = 255  # bytes of a file name


@contextlib.contextmanager
def locked_file(path: Path) -> Generator[Path]:
    """Lock a network file against other processes and yield its path without links."""
    path = follow(path)  # one lock for all links to the file
    lock = _take_lock(path)
    try:
        yield path
    finally:
        with contextlib.suppress(OSError):  # harmless: the lock ends with this process
            lock.release()


def _take_lock(path: Path) -> BaseFileLock:
    """Lock a network file with a lock file beside it. FileError."""
    name = f".{path.name}.lock"
    if len(os.fsencode(name)) > _LONGEST:
        name = f".{sha256(os.fsencode(path.name)).hexdigest()}.lock"
    beside = path.with_name(name)
    # A soft lock of filelock, which is the file itself, would stay after a killed process.
    lock = FileLock(beside, timeout=times.LOCK_TIMEOUT, mode=0o600, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise FileError(f"{path} is in use by another process", "wait for it and repeat") from None
    except OSError as error:
        advice = "check the permissions of its directory; if its file system has no locks, copy it to one that has"
        raise FileError(f"{path} cannot be locked: {reason(error)}", advice) from None
    inherit_owner(beside, path)
    return lock
