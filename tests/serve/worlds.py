# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A network of units in memory, as a server of keys sees them: epochs, generations, who is revoked, and keys."""

import asyncio
import hashlib
import hmac
import struct
from typing import NamedTuple

from ndks.exceptions import NoUnit, device_error
from ndks_gateways.key_unit import Presence
from ndks_protocol import errors

MOVES, PAST = 8, 6
ADMINISTRATORS = 4  # each has the generations of one remainder
FIRST = 1 << 47


class OwnNumber(NamedTuple):
    lane: int
    number: int


class Generation:
    """What a unit has of a generation: the numbers it was at, the latest last, and how many lanes were revoked."""

    def __init__(self, revoked: int) -> None:
        self.numbers = [0]
        self.revoked = revoked

    def has(self, number: int) -> bool:
        return self.numbers[-MOVES - 1 :][0] <= number <= self.numbers[-1]


class ModelUnit:
    """A unit of lane `lane`. It hears of a move when it is told to. `calls` counts what it was asked."""

    def __init__(self, lane: int, secret: bytes = b"network") -> None:
        self.lane = lane
        self.is_away = False
        self.beacon_age: float | None = 1.0
        self.changes = 0
        self.calls = 0
        self.failures = 0  # so many calls fail from now on
        self.generations = {1: Generation(0)}
        self._secret = secret
        self._number = 0
        self._changed = asyncio.Event()

    # What happens to it

    @property
    def epoch(self) -> int:
        present = max(self.generations)
        return present << 16 | self.generations[present].numbers[-1]

    def move(self, by: int = 1) -> None:
        present = self.generations[max(self.generations)]
        present.numbers.append(present.numbers[-1] + by)
        self._tell()

    def enter(self, *, revoked: int = 0) -> None:
        """Enter the next generation, in which so many more lanes are revoked."""
        present = max(self.generations)
        self.generations[present + ADMINISTRATORS] = Generation(self.generations[present].revoked + revoked)
        self.generations = dict(sorted(self.generations.items())[-PAST - 1 :])
        self._tell()

    def set_away(self, is_away: bool) -> None:
        self.is_away = is_away
        self._tell()

    def _tell(self) -> None:
        self.changes += 1
        self._changed.set()
        self._changed = asyncio.Event()

    # What a server asks

    @property
    def presence(self) -> Presence | None:
        if self.is_away:
            return None
        present, *past = sorted(self.generations, reverse=True)
        return Presence(self.epoch, tuple(past), self.generations[present].revoked, self.beacon_age)

    async def wait_change(self, known: int) -> int:
        while self.changes == known:
            await self._changed.wait()
        return self.changes

    async def chunk(self, epoch: int, n: int, offset: int, size: int) -> bytes:
        await self._call()
        if not (1 <= size <= 1024 and offset + size <= 1 << 37 and n >= FIRST):
            raise device_error(errors.RANGE)
        generation = self.generations.get(epoch >> 16)
        if not generation or not generation.has(epoch & 0xFFFF):
            raise device_error(errors.EPOCH)
        if generation.revoked < self.generations[max(self.generations)].revoked:
            raise device_error(errors.CUT)
        return self.key(epoch, n, offset, size)

    async def take_number(self) -> OwnNumber:
        await self._call()
        self._number += 1
        return OwnNumber(self.lane, self._number)

    async def renew(self) -> int:
        await self._call()
        self.move()
        return self.epoch

    def key(self, epoch: int, n: int, offset: int, size: int) -> bytes:
        """Return bytes of an exported key, whatever this unit keeps."""
        first, last = offset // 32, (offset + size - 1) // 32
        blocks = (
            hmac.digest(self._secret, struct.pack(">IQQ", epoch, n, block), hashlib.sha256)
            for block in range(first, last + 1)
        )
        return b"".join(blocks)[offset % 32 :][:size]

    async def _call(self) -> None:
        self.calls += 1
        await asyncio.sleep(0)
        if self.is_away or self.failures:
            self.failures = max(self.failures - 1, 0)
            raise NoUnit("not plugged in")
