# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Which members were heard: when last, in which epoch, through which carrier.

A capsule counts if its message number is above all that were heard from its sender: what an outsider repeats is old.
The beacon of the master counts if the unit follows it; the unit does not tell its number. The store is updated now and
then, not with each capsule; a crash loses the last minute.
"""

import time
from collections.abc import Iterator
from typing import NamedTuple

from ..events import Heard
from ..store import Store

_SAVE = 64  # ticks between two writes


class Seen(NamedTuple):
    """A member was heard at a time, in seconds since 1970 by the clock of this computer, which may be wrong."""

    number: int
    epoch: int
    at: int
    carrier: str


class Members:
    """The table `heard`. Errors as those of the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        rows = store.read("SELECT lane, number, epoch, at, carrier FROM heard")
        self._seen = {lane: Seen(*values) for lane, *values in rows}
        self._unsaved = set[int]()  # lanes
        self._ticks = 0

    def __iter__(self) -> Iterator[tuple[int, Seen]]:
        return iter(sorted(self._seen.items()))

    def note(self, heard: Heard, carrier: str) -> None:
        """Note what a packet from a carrier told about its sender."""
        before = self._seen.get(heard.lane)
        last = before.number if before else 0
        if heard.number is None or heard.number > last:
            by = carrier or (before.carrier if before else "")  # a beacon tells of its sender later
            self._seen[heard.lane] = Seen(heard.number or last, heard.epoch, int(time.time()), by)
            self._unsaved.add(heard.lane)

    def tick(self, ticks: int) -> None:
        """Let time pass."""
        self._ticks += ticks
        if self._ticks >= _SAVE:
            self.save()

    def save(self) -> None:
        """Write down what is new."""
        self._ticks = 0
        if self._unsaved:
            with self._store.step():
                for lane in self._unsaved:
                    self._store.write("INSERT OR REPLACE INTO heard VALUES (?, ?, ?, ?, ?)", lane, *self._seen[lane])
            self._unsaved.clear()
