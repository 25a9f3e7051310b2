# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit in memory, for hosts in the same process, for tests with power cuts, and for simulated networks."""

import copy
import os
from collections.abc import Callable
from typing import Self

from ndks_unit.board import RESET_POWER_ON, TICKS_PERIOD
from ndks_unit.dispatcher import Dispatcher

from .board import EmulatedBoard, MakeGenerator
from .case import Case
from .flash import Flash, MemoryFlash
from .lines import MemoryLine
from .power import PowerCut

Entropy = Callable[[int], bytes]  # size in bytes -> random bytes
Clock = Callable[[], int]  # milliseconds


class SetClock:
    """A clock that moves only when a test sets it. Several units can share one."""

    def __init__(self, milliseconds: int = 0) -> None:
        self.milliseconds = milliseconds

    def __call__(self) -> int:
        return self.milliseconds


class MemoryUnit:
    """A running unit as a transport. The unit answers a request before `write` returns.

    The default clock is the PC's. After a power cut every call raises PowerCut until the power is restored; the next
    `write` then starts the unit again.
    """

    unplugs = False

    def __init__(
        self,
        flash: Flash | None = None,
        *,
        entropy: Entropy = os.urandom,
        clock: Clock | None = None,
        make_generator: MakeGenerator | None = None,
    ) -> None:
        self.flash = flash or MemoryFlash()
        self.entropy = entropy
        self.clock = clock
        self._make_generator = make_generator
        self._plug(Case())
        try:
            self.start()
        except BaseException:
            self.flash.close()
            raise

    def _plug(self, case: Case) -> None:
        self.power = self.flash.power
        self.case = case
        self.line = MemoryLine()
        self.board = _Board(self, self._make_generator)
        self._firmware: Dispatcher | None = None

    @property
    def is_running(self) -> bool:
        return self._firmware is not None

    @property
    def firmware(self) -> Dispatcher:
        """The dispatcher of the firmware. Reading it starts a stopped unit."""
        if self._firmware is None:
            self.start()
        assert self._firmware
        return self._firmware

    def start(self, reset_reason: int = RESET_POWER_ON) -> None:
        """Restart the unit, as after a reset. Received bytes are lost; flash, case and sent bytes are kept."""
        self.stop()
        self.board.start(reset_reason)
        self._firmware = Dispatcher(self.board)

    def stop(self) -> None:
        """Stop the unit until the next call that needs it."""
        self._firmware = None
        self.line.inbound.clear()

    def poll(self) -> None:
        """Run one turn of the main loop."""
        try:
            self.firmware.poll()
        except PowerCut:
            self.stop()
            raise

    def unplug_host(self) -> None:
        """Disconnect the host and connect another one, with the power on."""
        self.poll()
        self.line.connected = False
        self.poll()
        self.line.connected = True

    def write(self, data: bytes) -> None:
        if self._firmware is None:
            self.start()  # before the data arrive, because a start discards received bytes
        self.line.inbound += data
        while self.line.inbound:
            self.poll()

    def read(self) -> bytes:
        """Return all bytes sent by the unit and not read yet."""
        data = bytes(self.line.outbound)
        self.line.outbound.clear()
        return data

    def close(self) -> None:
        """Unplug the unit."""
        if self.line.connected:
            self.line.close()
            self.flash.close()

    def clone(self) -> Self:
        """Return a stopped copy of the unit with its own flash, with the power on."""
        assert isinstance(self.flash, MemoryFlash)
        clone = copy.copy(self)
        clone.flash = self.flash.clone()
        clone.entropy, clone.clock = copy.copy(self.entropy), copy.copy(self.clock)
        clone._plug(Case(is_open=self.case.is_open))
        return clone


class _Board(EmulatedBoard):
    """The hardware of a unit in memory."""

    def __init__(self, unit: MemoryUnit, make_generator: MakeGenerator | None) -> None:
        super().__init__(unit.flash, unit.line, make_generator, case=unit.case)
        self._unit = unit

    def entropy(self, size: int) -> bytes:
        return self._unit.entropy(size)

    def ticks_ms(self) -> int:
        return self._unit.clock() % TICKS_PERIOD if self._unit.clock else super().ticks_ms()
