# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The emulator's board in memory, with flash that can also wear out; its power goes at any step within a page."""

from typing import Any

import ndks_emulator
from ndks_emulator.power import Power, PowerCut
from ndks_emulator.sector import Sector
from ndks_protocol.flash import NVM_SIZE

__all__ = ("MemoryBoard", "Power", "PowerCut", "WearingSector")


class WearingSector(Sector):
    """A sector that no longer takes what is written: none of it, or not these bytes."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.worn_out = False  # it takes neither erasing nor programming
        self.stuck: set[int] = set()  # bytes that take no programming

    def clone(self, power: Power) -> "WearingSector":
        copy = WearingSector(power, size=len(self.content))
        copy.content[:] = self.content
        copy.erases, copy.worn_out, copy.stuck = self.erases, self.worn_out, set(self.stuck)
        return copy

    def write(self, offset: int, data: bytes) -> None:
        if not self.worn_out:
            super().write(offset, data)

    def _program(self, page: int, data: bytes) -> None:
        taken = bytearray(data)
        for position in self.stuck & set(range(page, page + len(data))):
            taken[position - page] = self.content[position]
        super()._program(page, bytes(taken))


class MemoryBoard(ndks_emulator.MemoryBoard):
    """A board; its `snapshots` may be None, and `drive_is_writable` False, as on a damaged drive."""

    nvm: WearingSector

    def __init__(self, uid: bytes = bytes(8)) -> None:
        super().__init__(uid, fine=True)
        self.nvm = WearingSector(self.power, size=NVM_SIZE)
