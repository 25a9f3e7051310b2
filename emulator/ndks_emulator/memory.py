# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A whole board in memory, for tests that cut its power at every step."""

import itertools
from collections.abc import Callable, Iterator
from typing import Self

from ndks_protocol.flash import NVM_SIZE, SNAPSHOT_FILES, SNAPSHOT_SIZE
from ndks_unit.board import RESET_POWER_ON, TICKS_PERIOD

from .board import PCBoard
from .case import Case, CaseSwitch
from .power import Power, PowerCut
from .sector import Sector

_FIFO = 256  # bytes that one read takes at most


class MemoryBoard(PCBoard):
    """A board; a snapshot may be None, which is a file that is missing, and `drive_is_writable` False.

    After PowerCut, `start` it, and make its `Unit` anew.
    """

    def __init__(self, uid: bytes = bytes(8), *, fine: bool = False) -> None:
        super().__init__(uid, Power(fine=fine), Case())
        self.nvm = Sector(self.power, size=NVM_SIZE)
        self.snapshots: list[Sector | None] = [Sector(self.power, size=SNAPSHOT_SIZE) for _ in SNAPSHOT_FILES]
        self.drive_is_writable = True
        self.inbound = b""
        self.outbound = b""
        self.clock = 0  # milliseconds, for whoever tests to set
        self.is_connected = True

    def start(self, reset_reason: int = RESET_POWER_ON) -> None:
        """Be as after a reset: with power, and nothing that arrived; flash, case, and what was sent stay."""
        self.power.restore()
        self.inbound = b""
        self.reset_reason = reset_reason
        self._case_switch = CaseSwitch(self.case)

    def clone(self) -> Self:
        """Return the same board once more, as after `start`; what a subclass adds is shared."""
        copy = type(self).__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy.power = Power(fine=self.power.fine)
        copy.case = Case(is_open=self.case.is_open)
        copy.nvm = self.nvm.clone(copy.power)
        copy.snapshots = [snapshot and snapshot.clone(copy.power) for snapshot in self.snapshots]
        copy.start()
        return copy

    def survives(self, steps: int, operation: Callable[[], object]) -> bool:
        """Run an operation with power for so many steps of flash; tell whether it ended. Then the power is back."""
        self.power.steps_left = steps
        try:
            operation()
        except PowerCut:
            self.start()
            return False
        finally:
            self.power.restore()
        return True

    def cut_everywhere(self, operation: Callable[[Self], object], every: int = 1) -> Iterator[Self]:
        """Clones after the operation was cut, each at a later step than the one before; at last, one after its end."""
        for steps in itertools.count(step=every):
            cut = self.clone()
            ended = cut.survives(steps, lambda cut=cut: operation(cut))
            yield cut
            if ended:
                return

    @property
    def case_open(self) -> bool:
        return super().case_open

    @case_open.setter
    def case_open(self, is_open: bool) -> None:
        """Open the case or close it; the unit remembers until the next start that it was open."""
        if is_open:
            self.case.open()
        else:
            self.case.close()

    @property
    def connected(self) -> bool:
        self.power.check()
        return self.is_connected

    def read(self) -> bytes:
        self.power.check()
        data, self.inbound = self.inbound[:_FIFO], self.inbound[_FIFO:]
        return data

    def write(self, data: bytes | memoryview) -> bool:
        self.power.check()
        if self.is_connected:
            self.outbound += data
        return self.is_connected

    def nvm_read(self, offset: int, size: int) -> bytes:
        return self.nvm.read(offset, size)

    def nvm_write(self, offset: int, data: bytes | bytearray) -> None:
        self.nvm.write(offset, data)

    @property
    def snapshots_writable(self) -> bool:
        return self.drive_is_writable and None not in self.snapshots

    def snapshot_read(self, slot: int, offset: int, size: int) -> bytes:
        return self._snapshot(slot).read(offset, size)

    def snapshot_write(self, slot: int, data: bytes | bytearray) -> None:
        if not self.drive_is_writable:
            raise OSError("read-only")
        self._snapshot(slot).overwrite(data)

    def ticks_ms(self) -> int:
        return self.clock % TICKS_PERIOD

    def _snapshot(self, slot: int) -> Sector:
        snapshot = self.snapshots[slot]
        if snapshot is None:
            raise FileNotFoundError
        return snapshot
