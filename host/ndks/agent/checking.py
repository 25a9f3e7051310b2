# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Checks over another channel: the check values of messages, who confirmed them, and when the next check is due."""

from dataclasses import dataclass

from ..laptop.check_book import CheckBook, Confirmation
from .inbox import Known
from .store import Store

_EVERY = "check every"
_CHECKED = "checked "  # with the lane: the highest message that somebody confirmed, or that came before the schedule
_OVERDUE = 2  # times as many messages as the schedule says


@dataclass(frozen=True)
class Due:
    """A sender whose messages nobody has confirmed for as long as the schedule says, or longer.

    `s` is the message to check, the latest whose check value is known, 0: none; `messages`: how many came since.
    """

    lane: int
    s: int
    messages: int
    is_overdue: bool


def name_of(lane: int, s: int) -> str:
    """Return the name of a message in the book."""
    return f"{lane}:{s}"


class Checking:
    """The book of checks in an agent's store, and its schedule. Methods that write are called within a step."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.book = CheckBook(store)

    @property
    def every(self) -> int:
        """After how many messages of a sender a check is due; 0: there is no schedule."""
        return self._store.fact(_EVERY) or 0

    def schedule(self, every: int) -> None:
        """Make a check due after so many more messages from each sender; 0: never."""
        self._store.note(_EVERY, every)
        for lane, _, last in self._delivered():
            self._store.note(f"{_CHECKED}{lane}", last)

    def keep(self, lane: int, s: int, value: bytes) -> None:
        """Keep the check value of a message, if the unit told it."""
        if value:
            self.book.keep(name_of(lane, s), value)

    def confirm(self, lane: int, s: int, confirmation: Confirmation) -> None:
        """Note what somebody said about a message; if it held, the sender's next check counts from there."""
        self.book.confirm(confirmation)
        name = f"{_CHECKED}{lane}"
        if confirmation.held and s > (self._store.fact(name) or 0):
            self._store.note(name, s)

    def due(self) -> list[Due]:
        """Return the senders for which a message has to be checked now."""
        if not (every := self.every):
            return []
        since = [(lane, self._since(lane, first, last)) for lane, first, last in self._delivered()]
        return [
            Due(lane, self._latest(lane), messages, messages >= _OVERDUE * every)
            for lane, messages in since
            if messages >= every
        ]

    def _since(self, lane: int, first: int, last: int) -> int:
        """Return how many messages have come since the last check."""
        checked = self._store.fact(f"{_CHECKED}{lane}")
        return last - (first - 1 if checked is None else checked)

    def _latest(self, lane: int) -> int:
        query = (
            "SELECT message FROM checks WHERE message GLOB ? ORDER BY place DESC LIMIT 1"  # uses the index, unlike LIKE
        )
        rows = self._store.read(query, f"{lane}:*")
        return int(rows[0][0].partition(":")[2]) if rows else 0

    def _delivered(self) -> list[tuple[int, int, int]]:
        """Return each sender with the first and the last message that was delivered."""
        query = "SELECT lane, min(first), max(last) FROM spans WHERE kind = ? GROUP BY lane ORDER BY lane"
        return [(lane, first, last) for lane, first, last in self._store.read(query, Known.DELIVERED)]
