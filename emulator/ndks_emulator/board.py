# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The PC's `Board`."""

import hashlib
import os
from collections.abc import Callable
from typing import Any, cast

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ndks_protocol.flash import SNAPSHOT_SIZE
from ndks_protocol.kdf import Hash
from ndks_unit.board import Board

from .directory import UnitDirectory
from .lines import Line

MakeGenerator = Callable[[str, str, int], Any]  # p1, p2, d


class EmulatedBoard(Board):
    """A board with its state in a directory and any `Line` for its USB port.

    `make_generator` is what `Board.generator` is to be: a host's faster one, handed in.
    """

    def __init__(self, directory: UnitDirectory, line: Line, make_generator: MakeGenerator | None = None) -> None:
        self.uid = directory.uid
        self._make_generator = make_generator
        self._directory = directory
        self._line = line

    @property
    def connected(self) -> bool:
        return self._line.connected

    def read(self) -> bytes:
        return self._line.read()

    def write(self, data: bytes) -> bool:
        return self._line.write(data)

    def nvm_read(self, offset: int, size: int) -> bytes:
        return self._directory.nvm.read(offset, size)

    def nvm_write(self, offset: int, data: bytes) -> None:
        self._directory.nvm.write(offset, data)

    @property
    def snapshots_writable(self) -> bool:
        return all(
            os.access(path, os.W_OK) and path.stat().st_size == SNAPSHOT_SIZE for path in self._directory.snapshots
        )

    def snapshot_read(self, slot: int, offset: int, size: int) -> bytes:
        return self._directory.snapshots[slot].read_bytes()[offset : offset + size]

    def snapshot_write(self, slot: int, data: bytes) -> None:
        with self._directory.snapshots[slot].open("r+b") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def sha256(self) -> Hash:
        return cast(Hash, hashlib.sha256())

    def aes_ctr(self, key: bytes, iv: bytes, buffer: bytearray) -> None:
        buffer[:] = Cipher(algorithms.AES256(key), modes.CTR(iv)).encryptor().update(bytes(buffer))

    def entropy(self, size: int) -> bytes:
        return os.urandom(size)

    def generator(self, p1: str, p2: str, digits: int) -> Any:
        return self._make_generator(p1, p2, digits) if self._make_generator else None

    def free_memory(self) -> int:
        return 0
