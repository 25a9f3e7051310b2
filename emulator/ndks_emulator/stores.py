# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files on the PC that store the flash of a unit."""

import contextlib
import errno
import functools
import logging
import os
from pathlib import Path
from typing import Protocol

_log = logging.getLogger(__name__)
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}  # file systems without fsync


class Store(Protocol):
    """The content of one sector. OSError: a read or write failed."""

    def load(self) -> bytes: ...

    def save(self, offset: int, data: bytes) -> None: ...

    def sync(self) -> None:
        """Flush the written data to the PC's disk. A failure is only logged."""
        ...

    def close(self) -> None: ...


class OpenFile:
    """A file of `size` bytes that is held open. A missing file is created blank. OSError: the size is wrong."""

    def __init__(self, path: Path, size: int) -> None:
        self._size = size
        self._path = path
        if path.exists() and path.stat().st_size not in (0, size):
            # Do not repair the file: it may be the only remaining copy of a unit.
            raise OSError(errno.EINVAL, f"its size must be {size} bytes", str(path))
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        if os.fstat(self._file).st_size == 0:
            give_to_owner_of(self._file, path.parent)
            self.save(0, b"\xff" * size)

    def load(self) -> bytes:
        return self.load_part(0, self._size)

    def load_part(self, offset: int, size: int) -> bytes:
        os.lseek(self._file, offset, os.SEEK_SET)
        return os.read(self._file, size)

    def save(self, offset: int, data: bytes) -> None:
        os.lseek(self._file, offset, os.SEEK_SET)
        while data:
            data = data[os.write(self._file, data) :]

    def sync(self) -> None:
        _sync(self._file, self._path)

    def close(self) -> None:
        os.close(self._file)


class DriveFile:
    """A file on the unit's drive, opened for each use, because a user may remove or replace it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> bytes:
        return self._path.read_bytes()

    def save(self, offset: int, data: bytes) -> None:
        with self._path.open("r+b") as file:
            file.seek(offset)
            file.write(data)

    def sync(self) -> None:
        with self._path.open("r+b") as file:
            _sync(file.fileno(), self._path)

    def close(self) -> None:
        """Do nothing: no file is held open."""


def write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 atomically. Only one process at a time may call this."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)  # a killed process may have left it, or it may be a link to another place
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        give_to_owner_of(file.fileno(), path.parent)
    temporary.replace(path)


def give_to_owner_of(descriptor: int, directory: Path) -> None:
    """Give a new file to the owner of its directory, so that a user can use his unit after root has run it."""
    with contextlib.suppress(OSError):  # only root may change the owner
        found, owner = os.fstat(descriptor), directory.stat()
        if hasattr(os, "fchown") and found.st_nlink == 1:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _sync(descriptor: int, path: Path) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            _warn(path, error.strerror)


@functools.cache  # warn once, not at every step
def _warn(path: Path, why: str) -> None:
    _log.warning("%s is written, but may not survive a power cut: %s", path, why)
