# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit on an emulated chip in this process. Time is the chip's; a host takes none."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ndks_chip import Chip
from ndks_chip.fat12 import Tree, make_drive
from ndks_chip.flash import SECTOR
from ndks_chip.layout import DRIVE_AT, FLASH_SIZE, NVM_AT

from .symbols import Symbols

UID = bytes.fromhex("e66058388335582a")
_SLICE = 1_000_000  # nanoseconds, between two looks at the USB
_LONGEST = 60_000_000_000  # nanoseconds without an answer: the unit hangs
_CYCLES_MS = 125_000  # in a millisecond


class Cost(NamedTuple):
    """What a request takes. Without symbols nothing but the time is known, and the rest is 0."""

    ms: float
    collections: int
    collecting_ms: float
    allocations: int
    allocated: int  # bytes

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(*(a - b for a, b in zip(self, other, strict=True)))


def new_flash(image: bytes, drive: Tree) -> bytearray:
    """Return the flash of a board with this firmware of CircuitPython, this drive and an empty nvm."""
    return bytearray(image.ljust(DRIVE_AT, b"\xff") + make_drive(drive)).ljust(FLASH_SIZE, b"\xff")


def _nothing() -> None: ...


class ChipUnit:
    """A transport for `Link`. It has been switched on, and the USB host has configured it."""

    unplugs = False

    def __init__(self, flash: bytearray, symbols: Symbols) -> None:
        self.flash, self.symbols = flash, symbols
        self.erases: Counter[str] = Counter()
        self.erased_sectors: Counter[int] = Counter()  # by offset
        self.chip = Chip(flash, uid=UID, entropy=random.Random(1).getrandbits, on_flash=self._flash_changed)
        self._watches = [self.chip.watch(symbols.addresses[name]) for name in ("gc_collect", "gc_alloc") if symbols]
        self._received = bytearray()
        self._slice: int = _SLICE
        self._on_slice: Callable[[], object] = _nothing
        self.chip.data.on_data = self._take
        self.wait()

    def wait(self) -> None:
        """Run until there is a port. TimeoutError."""
        deadline = self.chip.nanoseconds + _LONGEST
        while not self.chip.data.is_ready:
            if self.chip.nanoseconds > deadline:
                raise TimeoutError("the firmware does not start: there is no port after a minute")
            self.chip.run(_SLICE)

    # The transport

    def write(self, data: bytes) -> None:
        self.chip.data.write(bytes(data))

    def read(self) -> bytes:
        """Run until the end of a frame. TimeoutError."""
        deadline = self.chip.nanoseconds + _LONGEST
        while 0 not in self._received:
            if self.chip.nanoseconds > deadline:
                raise TimeoutError(f"the unit has not answered for a minute; it has restarted {self.chip.resets} times")
            self.chip.run(self._slice)
            self._on_slice()
        data = bytes(self._received)
        self._received.clear()
        return data

    def close(self) -> None: ...

    def pause(self, seconds: float = 0.1) -> None:
        """Send nothing for a while: the unit collects its garbage."""
        self.chip.run(seconds * 1e9)

    # Instruments

    @property
    def cost(self) -> Cost:
        """All that was spent since power-on."""
        if not self._watches:
            return Cost(self.chip.nanoseconds / 1e6, 0, 0.0, 0, 0)
        collect, allocate = self._watches
        ms = self.chip.nanoseconds / 1e6
        return Cost(ms, collect.calls, collect.cycles / _CYCLES_MS, allocate.calls, allocate.first_arguments)

    @contextmanager
    def sampled(self, period: int, sample: Callable[[], object]) -> Iterator[None]:
        """Call `sample` every `period` nanoseconds of a request."""
        self._slice, self._on_slice = period, sample
        try:
            yield
        finally:
            self._slice, self._on_slice = _SLICE, _nothing

    def _take(self, data: bytes) -> None:
        self._received += data
        if 0 in data:
            self.chip.stop()

    def _flash_changed(self, offset: int, size: int) -> None:
        if size >= SECTOR:
            self.erased_sectors[offset] += 1
            self.erases["nvm" if NVM_AT <= offset < DRIVE_AT else "files"] += 1
