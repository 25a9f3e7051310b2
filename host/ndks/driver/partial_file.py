# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Partial files of interrupted transfers, resumed after a digest check."""

import logging
import os
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import Self

from ..on_disk import where_supported

_log = logging.getLogger(__name__)

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_MUCH = 1 << 20  # bytes hashed at once


class PartialFile:
    """A file of blocks at `path`, and a tally of fixed size: the number of valid bytes and their SHA-256.

    Each block is written without buffers, then the tally: a killed process loses no complete block, and the tally never
    counts missing bytes. After a power cut it may; then the file starts again from the beginning, like an altered one.
    """

    def __init__(self, path: Path, tally: Path) -> None:
        self._path = path
        self._tally_path = tally

    def __enter__(self) -> Self:
        self._file = _open(self._path)
        self._tally = _open(self._tally_path)
        try:
            self._digest = sha256()
            self.size = self._verified()  # valid bytes
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
        while view:  # a disk that is nearly full may take only a part
            view = view[self._file.write(view) :]
        self._digest.update(block)
        self.size += len(block)
        self._tally.seek(0)
        self._tally.write(_tally_text(self.size, self._digest.hexdigest()))

    def sync(self) -> None:
        """Write the file to the disk. OSError."""
        with where_supported():
            os.fsync(self._file.fileno())

    def _verified(self) -> int:
        """Return the number of valid bytes; 0 if the digest does not match."""
        counted, digest = _read_tally(self._tally.read())
        left = counted
        while left and (data := self._file.read(min(left, _MUCH))):
            self._digest.update(data)
            left -= len(data)
        if left or (counted and self._digest.hexdigest() != digest):
            _log.warning("%s was altered, or the computer lost its power: the transfer starts again", self._path)
            self._digest = sha256()
            return 0
        return counted


def received(tally: Path) -> int:
    """Return the number of received bytes in the tally, without a check of their digest."""
    return _read_tally(tally.read_bytes())[0] if tally.is_file() else 0


def _open(path: Path) -> FileIO:
    descriptor = os.open(path, _FLAGS, 0o600)
    return FileIO(descriptor, "r+")


def _tally_text(size: int, digest: str) -> bytes:
    return f"{size:016d} {digest}\n".encode()


def _read_tally(text: bytes) -> tuple[int, str]:
    """Return size and digest; size 0 if the tally is empty or damaged."""
    size, _, digest = text.decode(errors="replace").strip().partition(" ")
    return (int(size), digest) if size.isascii() and size.isdigit() else (0, "")
