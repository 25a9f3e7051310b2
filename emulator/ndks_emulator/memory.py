# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit in memory: for hosts in the same process, for tests that cut its power, for networks that are simulated."""

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

Entropy = Callable[[int], bytes]  # so many random bytes
Clock = Callable[[], int]  # milliseconds


class SetClock:
    """A clock that stands still until somebody sets it; several units can look at one."""

    def __init__(self, milliseconds: int = 0) -> None:
        self.milliseconds = milliseconds

    def __call__(self) -> int:
        return self.milliseconds


class MemoryUnit:
    """A unit as a transport: what is written is answered before `write` returns. It is made running.

    Without a clock of its own it has the PC's. When its power goes, whatever asks it for something ends in PowerCut,
    until the power was restored; then the next `write` makes it start anew.
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
        """The firmware's own object, which starts if it does not run."""
        if self._firmware is None:
            self.start()
        assert self._firmware
        return self._firmware

    def start(self, reset_reason: int = RESET_POWER_ON) -> None:
        """Start anew, as after a reset. What has arrived is lost; flash, case, and what was sent stay."""
        self.stop()
        self.board.start(reset_reason)
        self._firmware = Dispatcher(self.board)

    def stop(self) -> None:
        """Be off, until something is asked of it."""
        self._firmware = None
        self.line.inbound.clear()

    def poll(self) -> None:
        """Let the main loop turn once."""
        try:
            self.firmware.poll()
        except PowerCut:
            self.stop()
            raise

    def unplug_host(self) -> None:
        """Let the host leave without a word, and another come; the unit keeps its power."""
        self.poll()
        self.line.connected = False
        self.poll()
        self.line.connected = True

    def write(self, data: bytes) -> None:
        if self._firmware is None:
            self.start()  # before the data arrive: what has arrived before is lost
        self.line.inbound += data
        while self.line.inbound:
            self.poll()

    def read(self) -> bytes:
        """Return all bytes that the unit has sent and nobody has read."""
        data = bytes(self.line.outbound)
        self.line.outbound.clear()
        return data

    def close(self) -> None:
        """Unplug it."""
        if self.line.connected:
            self.line.close()
            self.flash.close()

    def clone(self) -> Self:
        """Return the same unit once more, off, with power, and with what it has in flash of its own."""
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
