# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Temporary directories that a process holds while it lives. Later processes remove what killed ones have left."""

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

_ATTEMPTS = 10  # others may remove a directory before it is locked
_MOST = 100  # abandoned directories that are looked at each time


@contextlib.contextmanager
def held_directory(prefix: str, parent: Path) -> Generator[Path]:
    """Make a directory of this user alone in `parent`, and remove it at the end of the block.

    OSError; ImportError on systems without locks of directories.
    """
    directory, lock = _made(prefix, parent)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)
        os.close(lock)


def remove_abandoned(prefix: str, parent: Path, before: Callable[[Path], object] = lambda _: None) -> None:
    """Remove what `held_directory` made for killed processes of this user; first call `before` with each directory.

    ImportError as above.
    """
    for path in itertools.islice(parent.glob(f"{prefix}*"), _MOST):
        with contextlib.suppress(OSError):  # it is in use, of another user, or gone meanwhile
            lock = _locked(path)
            try:
                before(path)
                shutil.rmtree(path)
            finally:
                os.close(lock)


def _made(prefix: str, parent: Path) -> tuple[Path, int]:
    for _ in range(_ATTEMPTS):
        directory = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        with contextlib.suppress(FileNotFoundError, BlockingIOError):
            return directory, _locked(directory)
    raise OSError(f"other processes remove what is made in {parent}")


def _locked(directory: Path) -> int:
    """Lock a directory until the descriptor is closed, also by the end of this process.

    OSError: it is locked, or removed, or not a directory of this user's.
    """
    import fcntl  # not on every platform

    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_uid != os.getuid():
            raise PermissionError
        if not os.path.samestat(os.fstat(descriptor), directory.lstat()):
            raise FileNotFoundError
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
