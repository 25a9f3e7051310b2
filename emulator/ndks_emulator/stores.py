# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files on the PC that hold what is in the unit's flash."""

import errno
import os
from pathlib import Path
from typing import Protocol


class Store(Protocol):
    """The content of one sector. OSError when it cannot be read or written."""

    def load(self) -> bytes: ...

    def save(self, offset: int, data: bytes) -> None: ...

    def sync(self) -> None:
        """Return when everything is on the PC's disk."""
        ...

    def close(self) -> None: ...


class OpenFile:
    """A file of `size` bytes, made blank when missing and held open; OSError for another size."""

    def __init__(self, path: Path, size: int) -> None:
        self._size = size
        if path.exists() and path.stat().st_size not in (0, size):
            # Never repaired: what is left of it may be all that is left of a unit.
            raise OSError(errno.EINVAL, f"it must have {size} bytes", str(path))
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        if os.fstat(self._file).st_size == 0:
            self.save(0, b"\xff" * size)

    def load(self) -> bytes:
        os.lseek(self._file, 0, os.SEEK_SET)
        return os.read(self._file, self._size)

    def save(self, offset: int, data: bytes) -> None:
        os.lseek(self._file, offset, os.SEEK_SET)
        while data:
            data = data[os.write(self._file, data) :]

    def sync(self) -> None:
        os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)


class DriveFile:
    """A file on the unit's drive, which whoever has the drive may remove or replace: opened for each use."""

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
            os.fsync(file.fileno())

    def close(self) -> None:
        """Nothing is open."""
