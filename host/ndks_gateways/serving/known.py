# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The epochs whose ids a server can read: it asks the unit for their keys once after each change.

So garbage, however much of it, never reaches the unit.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from ndks_protocol.control.limits import SILENCE

from ..keys import refusals
from ..keys.epochs import wanted
from ..keys.key_ids import EpochIds, find
from ..keys.names import Names
from ..keys.ranges import IDS
from ..keys.refusals import BadRequest, NotNow, Refused, Unauthorized
from ..keys.runs import Place
from .unit import EpochGone, ServingUnit, away, unit_errors

_KEY = 32  # bytes
_AGAIN = 5.0  # seconds until what failed is tried again
_MOST_GONE = 64  # epochs for which the reason is kept

Seen = Callable[[], Awaitable[Mapping[int, bool]]]
Lowest = Callable[[int], Awaitable[None]]


class KnownEpochs:
    """The epochs that the unit keeps, and why others are gone.

    `seen` returns the epochs in which the servers of this site have issued, and for each whether this one has.
    `lowest` is told below which epoch this server's unit, which once knew some there, keeps none any more.
    """

    def __init__(self, unit: ServingUnit, seen: Seen, lowest: Lowest) -> None:
        self.kept: list[int] = []  # the latest first
        self._unit = unit
        self._seen = seen
        self._lowest = lowest
        self._ids: dict[int, EpochIds] = {}
        self._gone: dict[int, str] = {}  # those of `_ids` that are gone, and why
        self._present: int | None = None
        self._heard: dict[int, bool] = {}  # present epochs since the start
        self._is_whole = False
        self._moved_at: float | None = None

    async def run(self) -> None:
        """Follow the unit until this is cancelled."""
        while True:
            changes = self._unit.changes
            try:
                await self._read()
            except (NotNow, EpochGone):
                self._is_whole = False
            patience = None if self._is_whole or not self._unit.presence else _AGAIN
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._unit.wait_change(changes)

    async def ids(self, epoch: int) -> EpochIds:
        """Return the ids of an epoch to issue in. EpochGone, NotNow."""
        return self._ids[epoch] if epoch in self.kept else await self._learn(epoch)

    async def confirm(self, epoch: int) -> None:
        """Ask the unit whether it gives keys of an epoch. EpochGone: no; NotNow."""
        await self._learn(epoch)

    def place(self, key_id: bytes, names: Sequence[Names]) -> Place:
        """Return where a key is, by its id. Unauthorized: it is for others; BadRequest; NotNow."""
        refusal: Refused
        try:
            if found := find(key_id, self._of(self.kept), names):
                return found
            refusal = self._not_found()
        except Unauthorized as error:
            refusal = error
        raise self._why_gone(key_id, names) or refusal

    def _of(self, epochs: Iterable[int]) -> Iterable[EpochIds]:
        return (self._ids[epoch] for epoch in epochs)

    def _why_gone(self, key_id: bytes, names: Sequence[Names]) -> BadRequest | None:
        """Return why an id of an epoch that was once kept is refused."""
        with contextlib.suppress(Unauthorized):
            if found := find(key_id, self._of(self._gone), names):
                return BadRequest(self._gone[found.epoch])
        return None

    def _not_found(self) -> Refused:
        """Return why an id fits no epoch. It may be of an epoch that the unit has not heard of yet."""
        presence = self._unit.presence
        if not presence:
            return away()
        is_silent = presence.beacon_age is not None and presence.beacon_age > SILENCE
        has_moved = self._moved_at is not None and _now() - self._moved_at < SILENCE
        if is_silent or has_moved or not self._is_whole or presence.epoch != self._present:
            return NotNow(refusals.NOT_HEARD)
        return BadRequest(refusals.NOT_FOUND)

    async def _read(self) -> None:
        """Read the keys for ids again, the present one first. NotNow, EpochGone: not all of them."""
        presence = self._unit.presence
        if not presence:
            return
        self._note(presence.epoch)
        await self._learn(presence.epoch)
        self.kept = [presence.epoch, *(epoch for epoch in self.kept if epoch != presence.epoch)]
        seen = {**await self._seen(), **self._heard}
        kept = [
            epoch for epochs in wanted(presence.epoch, presence.past, seen) for epoch in await self._generation(epochs)
        ]
        if presence.epoch not in kept:
            raise EpochGone(refusals.TOO_OLD)  # the unit has moved on meanwhile
        self._forget(kept)
        self._is_whole = True
        gone = max((epoch for epoch, is_own in seen.items() if is_own and epoch < min(kept)), default=None)
        if gone is not None:
            with contextlib.suppress(NotNow):  # then after the next change
                await self._lowest(gone + 1)

    def _note(self, present: int) -> None:
        if present == self._present:
            return
        if self._present is not None:
            self._moved_at = _now()
            self._is_whole = False
        self._present = present
        self._heard[present] = True

    async def _generation(self, epochs: Iterable[int]) -> list[int]:
        """Return those of these epochs, all of one generation, that are kept: there is no gap between them."""
        kept: list[int] = []
        for epoch in epochs:
            try:
                await self._learn(epoch)
            except EpochGone as gone:
                if epoch in self._ids:
                    self._gone[epoch] = gone.reason
                if kept:
                    break
                continue
            kept.append(epoch)
        return kept

    async def _learn(self, epoch: int) -> EpochIds:
        """Ask the unit for the key for ids of an epoch. EpochGone, NotNow."""
        with unit_errors():
            key = await self._unit.chunk(epoch, IDS, 0, _KEY)
        self._gone.pop(epoch, None)
        self._ids[epoch] = EpochIds(epoch, key)
        return self._ids[epoch]

    def _forget(self, kept: list[int]) -> None:
        """Keep the ids of these epochs; those of earlier ones only to say why they are gone."""
        later = [epoch for epoch in self._ids if epoch > kept[0]]  # entered meanwhile: they are read next
        for epoch in self._ids.keys() - {*later, *kept, *self._gone}:
            self._gone[epoch] = refusals.TOO_OLD
        self.kept = kept
        self._gone = {epoch: self._gone[epoch] for epoch in sorted(self._gone, reverse=True)[:_MOST_GONE]}
        self._ids = {epoch: self._ids[epoch] for epoch in (*later, *kept, *self._gone)}


def _now() -> float:
    return asyncio.get_running_loop().time()
