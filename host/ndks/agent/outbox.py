# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The agent's own messages: numbered and stored, then sealed, then the capsule stored, then sent, the same for ever."""

from typing import NamedTuple

from .limits import Limits
from .packets import Report
from .store import Store

_LAST = "last s"


class Unsealed(NamedTuple):
    """A message that waits for its capsule."""

    s: int
    content: int
    data: bytes


class Sealed(NamedTuple):
    """The capsule of a message, and its epoch."""

    capsule: bytes
    epoch: int


class Outbox:
    """The table of own messages; numbers s have no gaps. Methods that write are called within a step of the store."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store = store
        self._limits = limits

    @property
    def last(self) -> int | None:
        """The highest number given; None: the store is new."""
        return self._store.fact(_LAST)

    def begin(self, after: int) -> None:
        """Give numbers from `after` + 1 on, and forget all messages: the store is new or was restored.

        The unit's own number can serve as `after`: each message took one of the unit's, so no message number comes
        twice.
        """
        self._store.write("DELETE FROM outbox")
        self._store.note(_LAST, after)

    def add(self, content: int, data: bytes) -> int:
        """Number a message and keep its text; return its number."""
        s = (self.last or 0) + 1
        self._store.write("INSERT INTO outbox VALUES (?, ?, ?, NULL, NULL, 0)", s, content, data)
        self._store.note(_LAST, s)
        return s

    def unsealed(self) -> Unsealed | None:
        """Return the first message without a capsule."""
        rows = self._store.read("SELECT s, content, data FROM outbox WHERE capsule IS NULL ORDER BY s LIMIT 1")
        return Unsealed(*rows[0]) if rows else None

    def seal(self, s: int, capsule: bytes, epoch: int) -> None:
        """Keep the capsule in place of the text, and forget capsules that nobody may ask for any longer."""
        before = self.sealed(s - 1)
        is_start = before is None or before.epoch >> 16 != epoch >> 16
        change = "UPDATE outbox SET data = NULL, capsule = ?, epoch = ?, is_start = ? WHERE s = ?"
        self._store.write(change, capsule, epoch, is_start, s)
        self._trim(s)

    def sealed(self, s: int) -> Sealed | None:
        rows = self._store.read("SELECT capsule, epoch FROM outbox WHERE s = ? AND capsule IS NOT NULL", s)
        return Sealed(*rows[0]) if rows else None

    def report(self) -> Report | None:
        """Return what is kept; None: nothing was ever sealed."""
        starts = self._starts()
        if not starts:
            return None
        return Report(starts[0][1], self._end() - 1, starts)

    def _starts(self) -> tuple[tuple[int, int], ...]:
        """Return each generation with the first kept message that was sealed in it, in order of s."""
        query = """SELECT epoch >> 16, s FROM outbox
            WHERE s < ? AND (is_start OR s = (SELECT min(s) FROM outbox)) ORDER BY s"""
        return tuple((g, s) for g, s in self._store.read(query, self._end()))

    def _end(self) -> int:
        """Return the first number without a capsule; none after it has one, and there may be very many."""
        rows = self._store.read("SELECT s FROM outbox WHERE capsule IS NULL ORDER BY s LIMIT 1")
        return rows[0][0] if rows else (self.last or 0) + 1

    def _trim(self, last: int) -> None:
        starts = self._starts()[-self._limits.keep_generations :]
        first = max(last - self._limits.keep + 1, starts[0][1])
        self._store.write("DELETE FROM outbox WHERE s < ?", first)
