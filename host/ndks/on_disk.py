# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Names and contents that are on the disk when a function returns, and survive a power cut."""

import contextlib
import errno
import logging
import os
from collections.abc import Generator
from pathlib import Path

from .exceptions import reason
from .paths import keep_owner

_log = logging.getLogger(__name__)

# Errors of fsync on file systems that do not support it, such as CIFS and FUSE.
NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
_NO_DIRECTORY_SYNC = NO_SYNC | {errno.EACCES, errno.EPERM, errno.EBADF, errno.EISDIR}  # some cannot be opened


@contextlib.contextmanager
def where_supported() -> Generator[None]:
    """Ignore the errors of fsync on file systems that do not support it."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_SYNC:
            raise


def sync_directory(path: Path, done: str) -> None:
    """Write the names in a directory to the disk. A failure is only logged, after the text `done`."""
    if os.name != "posix":  # other systems cannot open directories
        return
    try:
        directory = os.open(path, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        if error.errno not in _NO_DIRECTORY_SYNC:
            _log.warning("%s, and may not survive a power cut: %s", done, reason(error))


def replace_durably(source: Path, target: Path) -> None:
    """Rename a file and return when the new name is on the disk. The owner of the replaced file stays."""
    with contextlib.suppress(OSError), source.open("rb") as file:
        keep_owner(file.fileno(), target)
    source.replace(target)
    sync_directory(target.parent, f"{target} is complete")


def remove_done(path: Path, done: str) -> None:
    """Remove a file that is no longer needed. A failure is only logged, after the text `done`."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("%s; only %s could not be removed: %s", done, path, reason(error))
