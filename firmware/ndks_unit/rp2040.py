# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`Board` for an RP2040 with CircuitPython, such as the Raspberry Pi Pico."""

# pyright: basic, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false, reportOptionalSubscript=false
# pyright: reportIncompatibleMethodOverride=false, reportMissingModuleSource=false
# (the stubs have no pins for this board, and declare nvm and watchdog as optional; gc and hashlib are CPython's here)

import gc
import hashlib
import os

import aesio
import board
import digitalio
import microcontroller
import storage
import supervisor
import usb_cdc
from ulab import numpy as np
from watchdog import WatchDogMode

from ndks_protocol.flash import SNAPSHOT_AT, SNAPSHOT_FILE_SIZE, SNAPSHOT_FILES
from ndks_protocol.kdf import Hash

from .board import (
    RESET_BROWNOUT,
    RESET_OTHER,
    RESET_PIN,
    RESET_POWER_ON,
    RESET_SOFTWARE,
    RESET_WATCHDOG,
    TICKS_PERIOD,
    Board,
)
from .fast_bits.generator import fast_generator, prepare
from .fast_bits.tables import FOLDER

try:
    from typing import BinaryIO

    from .board import KeyGenerator
except ImportError:  # not on the board, where annotations are not evaluated
    pass

_WATCHDOG_SECONDS = 8  # the maximum of the chip
_FIFO = 256
_WRITE_TIMEOUT_MS = 2000  # give up on a host that reads nothing for this time
_CASE_LOOP = "NDKS_CASE_LOOP"  # in settings.toml: 1 if the switch of the closed case connects the pin to ground
_OPEN_SAMPLES = 3  # consecutive samples that must agree, to ignore noise
_NO_KEY = bytes(32)
_RESET_REASONS = {
    "POWER_ON": RESET_POWER_ON,
    "BROWNOUT": RESET_BROWNOUT,
    "SOFTWARE": RESET_SOFTWARE,
    "WATCHDOG": RESET_WATCHDOG,
    "RESET_PIN": RESET_PIN,
}


class RP2040Board(Board):
    """An RP2040 board. The constructor starts the watchdog."""

    def __init__(self):
        if usb_cdc.data is None:
            raise RuntimeError("the data port is off: boot.py has not run; unplug the board and plug it in again")
        supervisor.runtime.autoreload = False  # a changed file must not restart the unit
        self.uid = bytes(microcontroller.cpu.uid)
        self.received = bytearray(_FIFO)
        self._snapshots: "dict[int, BinaryIO]" = {}
        self._port = usb_cdc.data
        self._port.timeout = 0
        self._port.write_timeout = 0
        self._led = digitalio.DigitalInOut(board.LED)
        self._led.switch_to_output(False)
        reason = str(microcontroller.cpu.reset_reason)
        self.reset_reason = _RESET_REASONS.get(reason[reason.rfind(".") + 1 :], RESET_OTHER)
        self._case = digitalio.DigitalInOut(board.GP3)
        self._case.switch_to_input(digitalio.Pull.UP)
        self._closed_level = str(os.getenv(_CASE_LOOP)) != "1"
        self._case_was_open = False
        self._aes = aesio.AES(_NO_KEY, aesio.MODE_CTR, IV=_NO_KEY[:16])  # one object for all keys: it has 276 bytes
        self._watchdog = microcontroller.watchdog
        self._watchdog.timeout = _WATCHDOG_SECONDS
        self._watchdog.mode = WatchDogMode.RESET

    def stop(self) -> None:
        """Stop the watchdog."""
        self._watchdog.mode = None

    @property
    def case_open(self) -> bool:
        self._sample_case()
        return self._case_was_open

    def _sample_case(self) -> None:
        for _ in range(_OPEN_SAMPLES):
            if self._case.value == self._closed_level:
                return
        self._case_was_open = True

    def ticks_ms(self) -> int:
        return supervisor.ticks_ms()

    @property
    def connected(self) -> bool:
        return self._port.connected

    def receive(self) -> int:
        return self._port.readinto(self.received) or 0

    def write(self, data: "bytes | memoryview") -> bool:
        view = memoryview(data)
        position = 0
        last_progress = supervisor.ticks_ms()
        was_open = self._case_was_open
        while position < len(data):
            sent = self._port.write(view[position:])
            now = supervisor.ticks_ms()
            if sent:
                position += sent
                last_progress = now
            self.feed_watchdog()
            opened = self._case_was_open and not was_open  # do not send the rest of a key after the case was opened
            slow = not sent and (now - last_progress) % TICKS_PERIOD > _WRITE_TIMEOUT_MS
            if opened or slow or not (sent or self._port.connected):
                self._port.reset_output_buffer()
                return False
        return True

    def nvm_read(self, offset: int, size: int) -> bytes:
        return bytes(microcontroller.nvm[offset : offset + size])

    def nvm_write(self, offset: int, data: "bytes | bytearray | memoryview") -> None:
        microcontroller.nvm[offset : offset + len(data)] = data

    @property
    def snapshots_writable(self) -> bool:
        if storage.getmount("/").readonly:
            return False
        try:
            return all([os.stat("/" + name)[6] == SNAPSHOT_FILE_SIZE for name in SNAPSHOT_FILES])
        except OSError:
            return False

    def snapshot_read(self, slot: int, offset: int, size: int) -> bytes:
        file = self._snapshot(slot)
        file.seek(SNAPSHOT_AT + offset)
        return file.read(size)

    def snapshot_write(self, slot: int, data: "bytes | bytearray") -> None:
        file = self._snapshot(slot)
        file.seek(SNAPSHOT_AT)
        file.write(data)
        os.sync()

    def _snapshot(self, slot: int) -> "BinaryIO":
        """Return a snapshot file, which is never closed or flushed.

        Closing or flushing would write to the directory of the drive, and a power cut could then destroy all files.
        `os.sync` writes the data only.
        """
        if slot not in self._snapshots:
            name = "/" + SNAPSHOT_FILES[slot]
            if os.stat(name)[6] != SNAPSHOT_FILE_SIZE:
                raise OSError("the snapshot file has a wrong size")
            try:
                self._snapshots[slot] = open(name, "r+b")  # noqa: SIM115 (see above)
            except OSError:  # the drive is mounted by the computer: open read-only
                return open(name, "rb")
        return self._snapshots[slot]

    def sha256(self) -> Hash:
        return hashlib.new("sha256")  # pyright: ignore[reportReturnType] (it has both methods)

    def aes_ctr(self, key: "bytes | bytearray", iv: "bytes | bytearray", buffer: "bytearray | memoryview") -> None:
        self._aes.rekey(key, iv)
        self._aes.encrypt_into(buffer, buffer)

    def forget_key(self) -> None:
        self._aes.rekey(_NO_KEY, _NO_KEY[:16])

    def xor(self, buffer: "bytearray | memoryview", other: "bytes | bytearray | memoryview") -> None:
        view = np.frombuffer(buffer, dtype=np.uint8)
        view[:] = np.bitwise_xor(view, np.frombuffer(other, dtype=np.uint8))

    def entropy(self, size: int) -> bytes:
        return os.urandom(size)

    def free_memory(self) -> int:
        gc.collect()
        return gc.mem_free()

    def generator(self, p1: str, p2: str, digits: int) -> "KeyGenerator":
        return fast_generator(p1, p2, digits, FOLDER, self.feed_watchdog)

    def tidy(self) -> None:
        gc.collect()

    def prepare_generator(self, digits: int) -> None:
        prepare(digits, FOLDER)

    def feed_watchdog(self) -> None:
        self._watchdog.feed()
        self._sample_case()

    def led(self, on: bool) -> None:
        self._led.value = on
