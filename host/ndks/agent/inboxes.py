# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The inboxes of all senders, in the store and, once they have been used, in memory."""

import struct
from collections.abc import Iterator

from .events import Delivered, Lost, Why
from .inbox import Inbox, Known
from .packets import Message, Report
from .spans import Span
from .store import ROW, Store

_START = ">HQ"


class Inboxes:
    """Every change goes to the store and to memory. Methods that write are called within a step of the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._inboxes: dict[int, Inbox] = {}
        self._saved = set[int]()  # lanes
        for (lane,) in store.read("SELECT lane FROM senders"):
            self._inboxes[lane] = self._load(lane)

    def of(self, lane: int) -> Inbox:
        if lane not in self._inboxes:
            self._inboxes[lane] = Inbox()
        return self._inboxes[lane]

    def __iter__(self) -> Iterator[tuple[int, Inbox]]:
        return iter(sorted(self._inboxes.items()))

    def changed(self) -> None:
        """Note that the unit holds other generations than before."""
        for inbox in self._inboxes.values():
            inbox.changed()

    def forget_claims(self) -> None:
        """Forget what senders said, and what waits because of it; never what was delivered."""
        self._store.write("DELETE FROM waiting")
        self._store.write("DELETE FROM spans WHERE kind = ?", Known.UNREADABLE)
        self._store.write("UPDATE senders SET first = 1, reported = 0, top = 0, starts = ?", b"")
        for inbox in self._inboxes.values():
            inbox.forget_claims()

    def take_report(self, lane: int, report: Report) -> None:
        if self.of(lane).take_report(report):
            self._save(lane)

    def wait(self, lane: int, message: Message) -> None:
        """Have a message wait for those before it."""
        inbox = self.of(lane)
        inbox.waiting.add(message.s)
        values = lane, message.s, message.content, message.data
        self._store.write("INSERT INTO waiting VALUES (?, ?, ?, ?)", *values)
        inbox.changed()
        self.see(lane, message.s)

    def see(self, lane: int, s: int) -> None:
        """Note that there is a message, which need not be kept here."""
        inbox = self.of(lane)
        if s > inbox.top:
            inbox.top = s
            inbox.changed()
            self._save(lane)

    def trim(self, lane: int, most: int, most_bytes: int) -> None:
        """Let at most so many messages of a lane wait, and so many bytes of all: the highest are asked for again."""
        for s in sorted(self.of(lane).waiting)[most:]:
            self._stop_waiting(lane, s)
        query = f"SELECT lane FROM waiting GROUP BY lane ORDER BY sum({ROW} + length(data)) DESC LIMIT 1"  # noqa: S608
        while self._waiting_bytes > most_bytes:
            ((longest,),) = self._store.read(query)
            for s in sorted(self.of(longest).waiting, reverse=True):
                self._stop_waiting(longest, s)
                if self._waiting_bytes <= most_bytes:
                    break

    @property
    def _waiting_bytes(self) -> int:
        return self._store.fact("waiting") or 0

    def deliver(self, lane: int, s: int) -> Delivered:
        """Take a message that waits; it is handed over with the step."""
        inbox = self.of(lane)
        is_late = s < inbox.sets[Known.DELIVERED].top or s in inbox.sets[Known.LOST]
        query = "SELECT content, data FROM waiting WHERE lane = ? AND s = ?"
        ((content, data),) = self._store.read(query, lane, s)
        self._stop_waiting(lane, s)
        self.add(lane, Known.DELIVERED, (s, s))
        return Delivered(lane, s, content, data, is_late)

    def hand_over(self, lane: int, s: int) -> None:
        """Note that a program took a message that is waiting for earlier ones, or was when the program got it."""
        inbox = self.of(lane)
        if s in inbox.waiting:
            self._stop_waiting(lane, s)
        if s not in inbox.sets[Known.DELIVERED]:
            self.add(lane, Known.DELIVERED, (s, s))

    def lose(self, lane: int, span: Span, why: Why) -> Lost:
        """Name messages as lost."""
        self.add(lane, Known.LOST, span)
        self.add(lane, Known(Known.LOST + why), span)
        return Lost(lane, *span, why)

    def add(self, lane: int, kind: Known, span: Span) -> None:
        """Add numbers to one of the sets of a sender."""
        inbox = self.of(lane)
        gone, (first, last) = inbox.add(kind, span)
        for old in gone:
            self._store.write("DELETE FROM spans WHERE lane = ? AND kind = ? AND first = ?", lane, kind, old)
        self._store.write("INSERT INTO spans VALUES (?, ?, ?, ?)", lane, kind, first, last)
        if lane not in self._saved:
            self._save(lane)

    def _stop_waiting(self, lane: int, s: int) -> None:
        self._store.write("DELETE FROM waiting WHERE lane = ? AND s = ?", lane, s)
        self.of(lane).waiting.remove(s)
        self.of(lane).changed()

    def _save(self, lane: int) -> None:
        inbox = self.of(lane)
        self._saved.add(lane)
        starts = b"".join(struct.pack(_START, *start) for start in inbox.starts)
        values = lane, inbox.first, inbox.reported, inbox.top, starts
        self._store.write("INSERT OR REPLACE INTO senders VALUES (?, ?, ?, ?, ?)", *values)

    def _load(self, lane: int) -> Inbox:
        inbox = Inbox()
        self._saved.add(lane)
        query = "SELECT first, reported, top, starts FROM senders WHERE lane = ?"
        ((inbox.first, inbox.reported, inbox.top, starts),) = self._store.read(query, lane)
        inbox.starts = tuple((g, s) for g, s in struct.iter_unpack(_START, starts))
        query = "SELECT kind, first, last FROM spans WHERE lane = ? ORDER BY first"  # adding at the end is fast
        for kind, first, last in self._store.read(query, lane):
            inbox.add(Known(kind), (first, last))
        inbox.waiting = {s for (s,) in self._store.read("SELECT s FROM waiting WHERE lane = ?", lane)}
        return inbox
