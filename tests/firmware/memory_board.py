# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The smallest `Board`: flash in memory whose power can be cut, and a line made of two buffers."""

import hashlib
import os
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ndks_protocol.flash import SNAPSHOT_FILES, SNAPSHOT_SIZE
from ndks_unit.board import Board

from .stand_ins.flash import Power, PowerCut, Sector


class MemoryBoard(Board):
    """A board; `snapshots` may be None, and `drive_is_writable` False, as on a damaged drive."""

    def __init__(self, uid: bytes = bytes(8)) -> None:
        self.uid = uid
        self.power = Power()
        self.nvm = Sector(self.power)
        self.snapshots: list[bytearray | None] = [bytearray(b"\xff" * SNAPSHOT_SIZE) for _ in SNAPSHOT_FILES]
        self.drive_is_writable = True
        self.inbound = b""
        self.outbound = b""

    @property
    def connected(self) -> bool:
        return True

    def read(self) -> bytes:
        data, self.inbound = self.inbound[:256], self.inbound[256:]
        return data

    def write(self, data: bytes) -> bool:
        self.outbound += data
        return True

    def nvm_read(self, offset: int, size: int) -> bytes:
        return bytes(self.nvm.content[offset : offset + size])

    def nvm_write(self, offset: int, data: bytes) -> None:
        self.nvm.write(offset, data)

    @property
    def snapshots_writable(self) -> bool:
        return self.drive_is_writable and None not in self.snapshots

    def snapshot_read(self, slot: int, offset: int, size: int) -> bytes:
        return bytes(self._snapshot(slot)[offset : offset + size])

    def snapshot_write(self, slot: int, data: bytes) -> None:
        if not self.drive_is_writable:
            raise OSError("read-only")
        snapshot = self._snapshot(slot)
        for position, byte in enumerate(data):
            if snapshot[position] != byte:
                self.power.step()
                snapshot[position] = byte

    def sha256(self) -> "hashlib._Hash":
        return hashlib.sha256()

    def aes_ctr(self, key: bytes, iv: bytes, buffer: bytearray) -> None:
        assert len(buffer) % 16 == 0
        buffer[:] = Cipher(algorithms.AES256(key), modes.CTR(iv)).encryptor().update(bytes(buffer))

    def entropy(self, size: int) -> bytes:
        return os.urandom(size)

    def free_memory(self) -> int:
        return 0

    def survives(self, steps: int, operation: Callable[[], object]) -> bool:
        """Run an operation with power for so many steps of flash; tell whether it ended. Then the power is back."""
        self.power.steps_left = steps
        try:
            operation()
        except PowerCut:
            return False
        finally:
            self.power.steps_left = None
        return True

    def _snapshot(self, slot: int) -> bytearray:
        snapshot = self.snapshots[slot]
        if snapshot is None:
            raise FileNotFoundError
        return snapshot
