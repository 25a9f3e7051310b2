# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What has to be on the disk before it is said to be there."""

import contextlib
import os
from collections.abc import Generator
from pathlib import Path

from ..exceptions import FileError


def sync_all_below(directory: int) -> None:
    """Write all that was written to the file system of an open folder to the disk. OSError."""
    import ctypes  # here, because only this needs it

    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if not syncfs:  # not Linux
        os.sync()
    elif syncfs(directory):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextlib.contextmanager
def alone_at(descriptor: int, path: Path) -> Generator[None]:
    """Keep other programs away from an unfinished file or folder during the block. FileError if one is at it."""
    import fcntl  # here, because Windows has none

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_there = os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        is_there = False
    if not is_there:  # locked, or completed or removed since it was opened
        raise FileError(f"another program is at work on {path}", "wait until it is done")
    yield
