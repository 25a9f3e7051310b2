# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A file that arrives in blocks, over several runs: what the next run finds counts only if it is as it was left."""

import logging
import os
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import Self

from ..files import where_supported

_log = logging.getLogger(__name__)

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_MUCH = 1 << 20  # bytes hashed at once


class PartialFile:
    """The blocks at `path`; beside it, at `tally`, how many bytes of it count and their SHA-256, always of one size.

    Both are written block by block without buffers, the data first: a process that is killed loses no whole block, and
    the tally never counts what is not there. After a power cut it may; then the file begins anew, as if it was altered.
    """

    def __init__(self, path: Path, tally: Path) -> None:
        self._path = path
        self._tally_path = tally

    def __enter__(self) -> Self:
        self._file = _open(self._path)
        self._tally = _open(self._tally_path)
        try:
            self._digest = sha256()
            self.size = self._verified()  # bytes that are there and count
            self._file.truncate(self.size)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._tally.close()

    def append(self, block: bytes) -> None:
        """Add a block. OSError."""
        self._file.seek(self.size)
        view = memoryview(block)
        while view:  # a disk that is all but full may take a part only
            view = view[self._file.write(view) :]
        self._digest.update(block)
        self.size += len(block)
        self._tally.seek(0)
        self._tally.write(_tally_text(self.size, self._digest.hexdigest()))

    def sync(self) -> None:
        """Return when all of it is on the disk. OSError."""
        with where_supported():
            os.fsync(self._file.fileno())

    def _verified(self) -> int:
        """Return how many bytes count, none where they are not those that were received."""
        counted, digest = _read_tally(self._tally.read())
        left = counted
        while left and (data := self._file.read(min(left, _MUCH))):
            self._digest.update(data)
            left -= len(data)
        if left or (counted and self._digest.hexdigest() != digest):
            _log.warning("%s was altered, or the computer lost its power: it begins anew", self._path)
            self._digest = sha256()
            return 0
        return counted


def received(tally: Path) -> int:
    """Return how many bytes have come, as far as the tally says so."""
    return _read_tally(tally.read_bytes())[0] if tally.is_file() else 0


def _open(path: Path) -> FileIO:
    descriptor = os.open(path, _FLAGS, 0o600)
    return FileIO(descriptor, "r+")


def _tally_text(size: int, digest: str) -> bytes:
    return f"{size:016d} {digest}\n".encode()


def _read_tally(text: bytes) -> tuple[int, str]:
    """Return size and digest; nothing counts where there is no tally."""
    size, _, digest = text.decode(errors="replace").strip().partition(" ")
    return (int(size), digest) if size.isascii() and size.isdigit() else (0, "")
