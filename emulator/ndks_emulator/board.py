# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`Board` for a PC."""

import hashlib
import os
import time
from collections.abc import Callable
from typing import cast

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ndks_protocol.kdf import Hash
from ndks_unit.board import RESET_POWER_ON, TICKS_PERIOD, Board, KeyGenerator

from .case import Case, CaseSwitch
from .flash import Flash
from .lines import Line

MakeGenerator = Callable[[str, str, int], KeyGenerator]  # p1, p2, d

_FIRST_TICKS = TICKS_PERIOD - 65536  # as in CircuitPython, so that errors at the wrap-around show up soon


class EmulatedBoard(Board):
    """A board on a PC with any `Flash`, and any `Line` as its USB port.

    `make_generator` replaces `Board.generator`; a host can pass its faster generator.
    """

    reset_reason = RESET_POWER_ON
    block = 1 << 20  # a PC has room

    def __init__(
        self,
        flash: Flash,
        line: Line,
        make_generator: MakeGenerator | None = None,
        *,
        case: Case | None = None,
    ) -> None:
        self.uid = flash.uid
        self.power = flash.power
        self.case = case or Case()
        self._make_generator = make_generator
        self._flash = flash
        self._line = line
        self.start()

    def start(self, reset_reason: int = RESET_POWER_ON) -> None:
        """Reset the hardware state that a board loses at a reset."""
        self.reset_reason = reset_reason
        self._case_switch = CaseSwitch(self.case)
        self._started = time.monotonic_ns()

    @property
    def case_open(self) -> bool:
        return self._case_switch.opened

    def sha256(self) -> Hash:
        return cast(Hash, hashlib.sha256())

    def aes_ctr(self, key: bytes | bytearray, iv: bytes | bytearray, buffer: bytearray | memoryview) -> None:
        self.power.check()
        buffer[:] = Cipher(algorithms.AES256(key), modes.CTR(iv)).encryptor().update(bytes(buffer))

    def entropy(self, size: int) -> bytes:
        return os.urandom(size)

    def free_memory(self) -> int:
        return 0

    def feed_watchdog(self) -> None:
        self.power.check()

    @property
    def connected(self) -> bool:
        self.power.check()
        return self._line.connected

    def receive(self) -> int:
        self.power.check()
        self.received = self._line.read()
        self.power.check()  # another thread may have cut the power
        return len(self.received)

    def write(self, data: bytes | memoryview) -> bool:
        self.power.check()
        sent = self._line.write(bytes(data))
        self.power.check()
        return sent

    def nvm_read(self, offset: int, size: int) -> bytes:
        return self._flash.nvm.read(offset, size)

    def nvm_write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        self._flash.nvm.write(offset, bytes(data))

    @property
    def snapshots_writable(self) -> bool:
        return self._flash.snapshots_writable

    def snapshot_read(self, slot: int, offset: int, size: int) -> bytes:
        return self._flash.snapshot_read(slot, offset, size)

    def snapshot_write(self, slot: int, data: bytes | bytearray) -> None:
        self._flash.snapshot_write(slot, data)

    def generator(self, p1: str, p2: str, digits: int) -> KeyGenerator | None:
        return self._make_generator(p1, p2, digits) if self._make_generator else None

    def ticks_ms(self) -> int:
        return (_FIRST_TICKS + (time.monotonic_ns() - self._started) // 1_000_000) % TICKS_PERIOD
