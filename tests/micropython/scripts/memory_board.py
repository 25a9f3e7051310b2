# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Model of a `Board` in memory."""

import hashlib
import os

from aes_block import block_encryptor

from ndks_protocol.flash import NVM_SIZE, SNAPSHOT_FILES, SNAPSHOT_SIZE
from ndks_unit.board import RESET_POWER_ON, Board

_FIFO = 256  # bytes per read of the real board's USB port
_AES_BLOCK = 16
_ERASED = 0xFF

# Allocated before the unit's code is loaded: the flash of a real board needs no heap.
_IMAGES = [bytearray(size) for size in (NVM_SIZE,) + (SNAPSHOT_SIZE,) * len(SNAPSHOT_FILES)]
_SECTOR, *_SNAPSHOTS = _IMAGES


class MemoryBoard(Board):
    """A board whose state lasts until the next one is made; a new unit on it is a restart."""

    connected = True
    snapshots_writable = True
    case_open = False
    reset_reason = RESET_POWER_ON
    now_ms = 0

    def __init__(self, uid: bytes = bytes(8)):
        self.uid = uid
        self.inbound = b""
        self.outbound = b""
        self.erasures = 0
        self.images = _IMAGES  # nvm, then the snapshots
        for image in _IMAGES:
            _erase(image)

    def ticks_ms(self) -> int:
        return self.now_ms

    def prepare_generator(self, digits: int) -> None:
        from ndks_protocol.generator import Generator  # noqa: F401 (this board has no fast generator, and later no room)

    def read(self) -> bytes:
        data = self.inbound[:_FIFO]
        self.inbound = self.inbound[_FIFO:]
        return data

    def write(self, data: bytes) -> bool:
        self.outbound += bytes(data)
        return True

    def nvm_read(self, offset: int, size: int) -> bytes:
        return bytes(memoryview(_SECTOR)[offset : offset + size])

    def nvm_write(self, offset: int, data: bytes) -> None:
        end = offset + len(data)
        if end > NVM_SIZE:
            raise ValueError("outside the sector")
        # Bytes that are all FF are programmed; otherwise CircuitPython erases and programs the sector.
        if any(_SECTOR[i] != _ERASED for i in range(offset, end)):
            self.erasures += 1
        _SECTOR[offset:end] = data

    def sha256_of_nvm(self) -> bytes:
        """Return a digest of nvm, to detect changes."""
        return hashlib.sha256(_SECTOR).digest()

    def snapshot_read(self, slot: int, offset: int, size: int) -> bytes:
        return bytes(memoryview(_SNAPSHOTS[slot])[offset : offset + size])

    def snapshot_write(self, slot: int, data: bytes) -> None:
        if not self.snapshots_writable:
            raise OSError("read-only")
        _SNAPSHOTS[slot][:] = data

    def sha256(self):
        return hashlib.sha256()

    def aes_ctr(self, key: bytes, iv: bytes, buffer: bytearray) -> None:
        encrypt = block_encryptor(key)
        counter = int.from_bytes(iv, "big")
        for start in range(0, len(buffer), _AES_BLOCK):
            keystream = encrypt(counter.to_bytes(_AES_BLOCK, "big"))
            for i in range(_AES_BLOCK):
                buffer[start + i] ^= keystream[i]
            counter += 1

    def entropy(self, size: int) -> bytes:
        return os.urandom(size)

    def free_memory(self) -> int:
        return 0


def _erase(flash: bytearray) -> None:
    for i in range(len(flash)):
        flash[i] = _ERASED
