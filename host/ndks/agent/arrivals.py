# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What the program that uses the agent has not taken yet: written in the step that delivers it, so each comes once."""

from collections.abc import Set

from ..laptop.database import Row
from .events import Delivered, Lost, Why
from .inboxes import Inboxes
from .store import Store

_DELIVERED, _LATE = 0, 1  # others are Lost: 1 + its reason
_GAPS = 1000  # that a lane's messages may have and still be given early: senders that keep to the rules have fewer


class Arrivals:
    """The table of messages and losses, in the order in which they were named."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def size(self) -> int:
        """The bytes of what has not been taken."""
        return self._store.fact("arrived") or 0

    def add(self, event: Delivered | Lost) -> None:
        """Write an event, within a step of the store."""
        if isinstance(event, Delivered):
            row = (_LATE if event.late else _DELIVERED, event.lane, event.s, event.s, event.content, event.data)
        else:
            row = (_LATE + event.why, event.lane, event.first, event.last, 0, b"")
        columns = "what, lane, first, last, content, data"
        self._store.write(f"INSERT INTO arrivals ({columns}) VALUES (?, ?, ?, ?, ?, ?)", *row)  # noqa: S608 - a constant

    def after(self, place: int, most: int) -> list[tuple[int, Delivered | Lost]]:
        """Return the next events after a place, each with its own place, at most so many."""
        query = "SELECT * FROM arrivals WHERE place > ? ORDER BY place LIMIT ?"
        return [(row[0], _event(row[1:])) for row in self._store.read(query, place, most)]

    def taken(self, place: int) -> None:
        """Forget the events up to a place, within a step: the program has them on its own disk."""
        self._store.write("DELETE FROM arrivals WHERE place <= ?", place)

    def taken_alone(self, place: int) -> None:
        """Forget the event at a place, within a step."""
        self._store.write("DELETE FROM arrivals WHERE place = ?", place)

    def early(self, most: int, but: Set[tuple[int, int]]) -> list[Delivered]:
        """Return messages that wait for earlier ones, at most so many, except those that are named by lane and s."""
        gaps = "SELECT count(*) FROM spans WHERE lane = senders.lane AND kind = 0 AND first > senders.first"
        lanes = f"SELECT lane FROM senders WHERE ({gaps}) < {_GAPS}"  # noqa: S608 - constants
        found = self._store.read(f"SELECT lane, s FROM waiting WHERE lane IN ({lanes}) ORDER BY lane, s")  # noqa: S608
        keys = [key for key in found if key not in but]
        query = "SELECT lane, s, content, data FROM waiting WHERE lane = ? AND s = ?"
        return [Delivered(*self._store.read(query, *key)[0]) for key in keys[:most]]

    def taken_early(self, inboxes: Inboxes, lane: int, s: int) -> None:
        """Note that a program has a message that `early` gave it, within a step; it may have come into order by now."""
        self._store.write("DELETE FROM arrivals WHERE what <= ? AND lane = ? AND first = ?", _LATE, lane, s)
        inboxes.hand_over(lane, s)


def _event(row: Row) -> Delivered | Lost:
    what, lane, first, last, content, data = row
    if what <= _LATE:
        return Delivered(lane, first, content, data, what == _LATE)
    return Lost(lane, first, last, Why(what - _LATE))
