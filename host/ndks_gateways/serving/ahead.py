# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A run that this server has taken: its next slots, some of which are read ahead."""

import asyncio

from ndks_protocol.kdf import wipe

from ..keys.key_ids import EpochIds
from ..keys.ranges import index_of
from ..keys.runs import CHUNK, SLOT, SLOTS, Run
from .unit import ServingUnit, unit_errors

_AHEAD = 64 * SLOT  # bytes
_AT_ONCE = 4  # requests to the unit


class OwnRun:
    """The slots of a run, in order, each once. One task at a time takes some; `began` is when the run was taken."""

    def __init__(self, unit: ServingUnit, run: Run, ids: EpochIds, began: float) -> None:
        self.run = run
        self.ids = ids
        self.began = began
        self.next = 0  # slot
        self._unit = unit
        self._n = index_of(run.lane, run.run)
        self._ready = bytearray()
        self._read_to = 0  # chunk
        self._reading: asyncio.Task[None] | None = None

    @property
    def left(self) -> int:
        """How many slots nobody has taken."""
        return SLOTS - self.next

    async def take(self, slots: int) -> tuple[int, bytes]:
        """Return the next slots, at most `left`: the number of the first, and their bytes.

        EpochGone, NotNow: none was taken.
        """
        size = slots * SLOT
        while len(self._ready) < size:
            await asyncio.shield(self._read(size))
        first, data = self.next, bytes(self._ready[:size])
        self._ready[:size] = bytes(size)
        del self._ready[:size]
        self.next += slots
        if len(self._ready) < _AHEAD:
            self._read(_AHEAD)
        return first, data

    async def close(self) -> None:
        """Give up the rest of the run."""
        if self._reading:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        wipe(self._ready)

    def _read(self, size: int) -> "asyncio.Task[None]":
        if not self._reading or self._reading.done():
            self._reading = asyncio.create_task(self._read_on(size))
            self._reading.add_done_callback(_retrieved)
        return self._reading

    async def _read_on(self, size: int) -> None:
        """Read until `size` bytes are ready, or the run ends. EpochGone, NotNow."""
        while len(self._ready) < size:
            missing = -(-(size - len(self._ready)) // CHUNK)
            chunks = range(self._read_to, min(self._read_to + min(missing, _AT_ONCE), SLOTS * SLOT // CHUNK))
            if not chunks:
                return
            with unit_errors():
                read = [self._unit.chunk(self.run.epoch, self._n, chunk * CHUNK, CHUNK) for chunk in chunks]
                for chunk in await asyncio.gather(*read):
                    self._ready += chunk
            self._read_to = chunks.stop


def _retrieved(task: "asyncio.Task[None]") -> None:
    if not task.cancelled():
        task.exception()  # whoever waits for it gets the error; what nobody waits for is read again
