# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The nvm sector of an RP2040 under CircuitPython, in a file.

NOR flash: an erase sets a whole sector to FF, programming a page can only clear bits. CircuitPython programs when the
bytes to be written over are all FF; otherwise it erases the sector and programs all of it again.
"""

import errno
import os
from pathlib import Path

PAGE = 256


class Nvm:
    """One flash sector of `size` bytes in the file at `path`, made blank when missing; OSError for another size."""

    def __init__(self, path: Path, size: int) -> None:
        self._size = size
        if path.exists() and path.stat().st_size not in (0, size):
            # Never repaired: what is left of it may be all that is left of a unit.
            raise OSError(errno.EINVAL, f"it must have {size} bytes", str(path))
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        if os.fstat(self._file).st_size == 0:
            self._store(0, b"\xff" * size)
        self._content = bytearray(self._load())

    def read(self, offset: int, size: int) -> bytes:
        return bytes(self._content[offset : offset + size])

    def write(self, offset: int, data: bytes) -> None:
        """Write as CircuitPython does; everything is on the PC's disk when this returns."""
        end = offset + len(data)
        if not 0 <= offset <= end <= self._size:
            raise ValueError("outside the sector")
        after = self._content[:offset] + data + self._content[end:]
        if self._content[offset:end].strip(b"\xff"):
            self._erase()
            offset, end = 0, self._size
        for page in range(offset // PAGE * PAGE, end, PAGE):
            self._program(page, after[page : page + PAGE])
        os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)

    def _erase(self) -> None:
        self._content[:] = b"\xff" * self._size
        self._store(0, self._content)

    def _program(self, page: int, data: bytearray) -> None:
        bits = bytes(old & new for old, new in zip(self._content[page : page + PAGE], data, strict=True))
        self._content[page : page + PAGE] = bits
        self._store(page, bits)

    def _load(self) -> bytes:
        os.lseek(self._file, 0, os.SEEK_SET)
        return os.read(self._file, self._size)

    def _store(self, offset: int, data: bytes | bytearray) -> None:
        os.lseek(self._file, offset, os.SEEK_SET)
        while data:
            data = data[os.write(self._file, data) :]
