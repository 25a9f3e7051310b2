# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit that gives exported keys of lane 0, numbers of its own, and what it knows of its network."""

from dataclasses import dataclass

import ndks.aio
from ndks.driver import service_verbs
from ndks.driver.program_keys import OwnNumber

from .held import Held, need_hybrid


@dataclass(frozen=True, slots=True)
class Presence:
    """What a unit knows of its network: the present epoch, how many lanes are revoked, and when it heard a beacon.

    `past` are the generations before the present one that it keeps, the latest first. `beacon_age` is in seconds; None:
    a day or longer, or never.
    """

    epoch: int
    past: tuple[int, ...]
    revoked: int
    beacon_age: float | None


class KeyUnit(Held):
    """A unit that is asked for exported keys. `changes` also grows with a new epoch and with a revocation."""

    _known: Presence | None = None

    @property
    def presence(self) -> Presence | None:
        """What it knew last; None: it is not at hand."""
        return None if self.away else self._known

    async def chunk(self, epoch: int, n: int, offset: int, size: int) -> bytes:
        """Return bytes of the exported key n of lane 0 of an epoch, at most 1024. DeviceError; UnitAway."""
        bits = 8 * (offset + size)
        blocks = await self.call(
            lambda unit: unit.run(lambda opened: [*opened.stream_key(n, bits, epoch=epoch, offset=offset)])
        )
        return b"".join(blocks)

    async def take_number(self) -> OwnNumber:
        """Use up a number of its own; the laptop's minimum counter has it first. DeviceError, UnitAway."""
        return await self.call(lambda unit: unit.take_number())

    async def renew(self) -> int:
        """Begin the next epoch of the whole network, and return it. DeviceError, UnitAway."""
        return await self.call(lambda unit: unit.renew())

    async def _learn(self, work: ndks.aio.Unit, said: service_verbs.Presence) -> bool:
        status = await work.unlock()
        need_hybrid(status.suite)
        past = tuple(status.generations[1:])
        former, self._known = self._known, Presence(status.epoch, past, said.revoked, said.beacon_age)
        return not former or (former.epoch, former.revoked) != (status.epoch, said.revoked)
