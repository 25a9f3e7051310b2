# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What the program that uses the agent has not taken yet: written in the step that delivers it, so each comes once."""

from .events import Delivered, Lost, Why
from .store import Row, Store

_DELIVERED, _LATE = 0, 1  # others are Lost: 1 + its reason


class Arrivals:
    """The table of messages and losses, in the order in which they were named."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, event: Delivered | Lost) -> None:
        """Write an event, within a step of the store."""
        if isinstance(event, Delivered):
            row = (_LATE if event.late else _DELIVERED, event.lane, event.s, event.s, event.content, event.data)
        else:
            row = (_LATE + event.why, event.lane, event.first, event.last, 0, b"")
        columns = "what, lane, first, last, content, data"
        self._store.write(f"INSERT INTO arrivals ({columns}) VALUES (?, ?, ?, ?, ?, ?)", *row)  # noqa: S608 - a constant

    def after(self, place: int, most: int) -> list[tuple[int, Delivered | Lost]]:
        """Return the next events after a place, each with its own, at most so many."""
        query = "SELECT * FROM arrivals WHERE place > ? ORDER BY place LIMIT ?"
        return [(row[0], _event(row[1:])) for row in self._store.read(query, place, most)]

    def taken(self, place: int) -> None:
        """Forget the events up to a place, within a step: the program has them on its own disk."""
        self._store.write("DELETE FROM arrivals WHERE place <= ?", place)


def _event(row: Row) -> Delivered | Lost:
    what, lane, first, last, content, data = row
    if what <= _LATE:
        return Delivered(lane, first, content, data, what == _LATE)
    return Lost(lane, first, last, Why(what - _LATE))
