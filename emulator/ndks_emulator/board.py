# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The PC's `Board`."""

import hashlib
import os
import time
from collections.abc import Callable
from typing import cast

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ndks_protocol.flash import SNAPSHOT_SIZE
from ndks_protocol.kdf import Hash
from ndks_unit.board import RESET_POWER_ON, TICKS_PERIOD, Board, KeyGenerator

from .case import Case, CaseSwitch
from .directory import UnitDirectory
from .lines import Line
from .power import Power

MakeGenerator = Callable[[str, str, int], KeyGenerator]  # p1, p2, d

_FIRST_TICKS = TICKS_PERIOD - 65536  # as CircuitPython: whoever cannot cope with the wrap fails soon


class PCBoard(Board):
    """What every board on a PC has: its processor's cryptography and randomness, a power supply, a case."""

    reset_reason = RESET_POWER_ON

    def __init__(self, uid: bytes, power: Power, case: Case) -> None:
        self.uid = uid
        self.power = power
        self.case = case
        self._case_switch = CaseSwitch(case)

    @property
    def case_open(self) -> bool:
        return self._case_switch.opened

    def sha256(self) -> Hash:
        return cast(Hash, hashlib.sha256())

    def aes_ctr(self, key: bytes | bytearray, iv: bytes, buffer: bytearray | memoryview) -> None:
        self.power.check()
        buffer[:] = Cipher(algorithms.AES256(key), modes.CTR(iv)).encryptor().update(bytes(buffer))

    def entropy(self, size: int) -> bytes:
        return os.urandom(size)

    def free_memory(self) -> int:
        return 0

    def feed_watchdog(self) -> None:
        self.power.check()


class EmulatedBoard(PCBoard):
    """A board with its state in a directory and any `Line` for its USB port.

    `make_generator` is what `Board.generator` is to be: a host's faster one, handed in.
    """

    def __init__(
        self,
        directory: UnitDirectory,
        line: Line,
        make_generator: MakeGenerator | None = None,
        *,
        case: Case | None = None,
    ) -> None:
        super().__init__(directory.uid, directory.power, case or Case())
        self._make_generator = make_generator
        self._directory = directory
        self._line = line
        self._started = time.monotonic_ns()

    @property
    def connected(self) -> bool:
        self.power.check()
        return self._line.connected

    def read(self) -> bytes:
        self.power.check()
        data = self._line.read()
        self.power.check()  # it may have gone meanwhile
        return data

    def write(self, data: bytes | memoryview) -> bool:
        self.power.check()
        sent = self._line.write(bytes(data))
        self.power.check()
        return sent

    def nvm_read(self, offset: int, size: int) -> bytes:
        return self._directory.nvm.read(offset, size)

    def nvm_write(self, offset: int, data: bytes | bytearray) -> None:
        self._directory.nvm.write(offset, data)

    @property
    def snapshots_writable(self) -> bool:
        return all(
            os.access(path, os.W_OK) and path.stat().st_size == SNAPSHOT_SIZE for path in self._directory.snapshots
        )

    def snapshot_read(self, slot: int, offset: int, size: int) -> bytes:
        return self._directory.snapshot_sectors[slot].read(offset, size)

    def snapshot_write(self, slot: int, data: bytes | bytearray) -> None:
        self._directory.snapshot_sectors[slot].overwrite(data)

    def generator(self, p1: str, p2: str, digits: int) -> KeyGenerator | None:
        return self._make_generator(p1, p2, digits) if self._make_generator else None

    def ticks_ms(self) -> int:
        return (_FIRST_TICKS + (time.monotonic_ns() - self._started) // 1_000_000) % TICKS_PERIOD
