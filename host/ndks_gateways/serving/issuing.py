# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys for masters: the next slots of a run that nobody else has, so that no database is asked.

A run is taken at the start, each hour, when the epoch in which keys are issued changes, and when its slots are used up.
What is left of the run before is never used.
"""

import asyncio
from collections.abc import Callable, Sequence

from ..keys import names
from ..keys.epochs import Settled
from ..keys.names import Groups
from ..keys.ranges import run_of
from ..keys.runs import RUN_SECONDS, SLOT, SLOTS, Run, slots_of
from .ahead import OwnRun
from .known import KnownEpochs
from .unit import EpochGone, ServingUnit, away, unit_errors

_MOST_STORED = 100_000  # keys


class Issuer:
    """Issues keys of the unit's runs. `taken` is told of each run; `before` is the last run before the start."""

    def __init__(
        self,
        unit: ServingUnit,
        known: KnownEpochs,
        groups: Groups,
        taken: Callable[[Run], None],
        before: Run | None = None,
    ) -> None:
        self._unit = unit
        self._known = known
        self._groups = groups
        self._taken = taken
        self._settled = Settled(before.epoch if before else None)
        self._own: OwnRun | None = None
        self._confirmed_at: int | None = None  # `changes` of the unit
        self._turn = asyncio.Lock()

    async def issue(self, master: str, slaves: Sequence[str], size: int, number: int) -> list[tuple[bytes, bytes]]:
        """Return `number` new keys of `size` bytes, each with its id of 16 bytes. BadRequest, NotNow."""
        wanted = names.of_request(master, slaves, self._groups)
        slots = slots_of(size)
        async with self._turn:
            own, first, data = await self._take(slots * number)
        return [
            (own.ids.id_of(own.run, first + start, size, wanted), data[start * SLOT : start * SLOT + size])
            for start in range(0, number * slots, slots)
        ]

    def stored(self, size: int) -> int:
        """Return how many keys of `size` bytes can be had at once, at most 100,000. NotNow: the unit is away."""
        if not self._unit.presence:
            raise away()
        left = self._own.left if self._own else SLOTS
        return min(left // slots_of(size), _MOST_STORED)

    async def prepare(self) -> None:
        """Take a run if another one is due, and read ahead in it. NotNow."""
        async with self._turn:
            await self._take(0)

    async def close(self) -> None:
        """Give up the present run."""
        async with self._turn:
            await self._leave()

    async def _take(self, slots: int) -> tuple[OwnRun, int, bytes]:
        """Return slots of a run in the epoch to issue in. NotNow."""
        while True:
            presence, changes = self._unit.presence, self._unit.changes
            if not presence:
                raise away()
            epoch = self._settled.epoch(presence.epoch, presence.revoked, _now())
            try:
                if epoch != presence.epoch and self._confirmed_at != changes:
                    await self._known.confirm(epoch)  # a unit knows of a revocation before its agent counts it
                    self._confirmed_at = changes
                own = await self._run_in(epoch, slots)
                return own, *await own.take(slots)
            except EpochGone:
                await self._leave()
                if epoch == presence.epoch:
                    raise away() from None  # it is just moving on
                self._settled.refuse()

    async def _run_in(self, epoch: int, slots: int) -> OwnRun:
        """Return a run of this epoch that has enough slots left: the present one, or another. EpochGone, NotNow."""
        own = self._own
        if own and own.run.epoch == epoch and own.left >= slots and _now() - own.began < RUN_SECONDS:
            return own
        await self._leave()
        ids = await self._known.ids(epoch)
        with unit_errors():
            number = await self._unit.take_number()
        run = Run(epoch, number.lane, run_of(number.number))
        self._taken(run)
        self._own = OwnRun(self._unit, run, ids, _now())
        return self._own

    async def _leave(self) -> None:
        own, self._own = self._own, None
        if own:
            await own.close()


def _now() -> float:
    return asyncio.get_running_loop().time()
