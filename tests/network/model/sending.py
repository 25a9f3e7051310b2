# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The agent as a sender: its messages, reports of them, and what others ask for again."""

from .capsules import Box
from .rules import LIMITS, holds
from .station import LONGEST_PAUSE, REST, Station
from .store import Entry


class Sending(Station):
    """Own messages: numbered and stored, then sealed, then the capsule stored, then sent, the same for ever."""

    def _send(self, payload: bytes) -> None:
        self._begin()
        self.store.last += 1
        self.store.outbox[self.store.last] = Entry(payload)
        self._step()
        self._seal_waiting()

    def _begin(self) -> None:
        """Number own messages above all that this unit may have sealed: a store may be new, or an old copy."""
        if not self.store.begun:
            above = self.unit.own_number if holds("a new store begins above the unit's numbers") else 0
            self.store.begun, self.store.last, self.store.sealed = True, above, above
            self.store.outbox, self.store.starts = {}, []
            self._step()

    def _seal_waiting(self) -> None:
        while self.unit.epoch is not None and self.store.sealed < self.store.last:
            s = self.store.sealed + 1
            payload = self.store.outbox[s].payload
            box, epoch = self.unit.seal("message", (s, payload), 7 + len(payload))
            self._step()
            self._keep_sealed(s, box, epoch)
            self._step()
            self._transmit(s, box)
            self._report_soon(4)

    def _keep_sealed(self, s: int, box: Box, epoch: int) -> None:
        store = self.store
        store.outbox[s], store.sealed = Entry(b"", box, epoch), s
        if not store.starts or store.starts[-1][0] != epoch >> 16:
            store.starts = [*store.starts, (epoch >> 16, s)][-LIMITS.kept_generations :]
        first = max(s - LIMITS.kept_messages + 1, store.starts[0][1])
        store.outbox = {kept: entry for kept, entry in store.outbox.items() if kept >= first}

    def _transmit(self, s: int, box: Box) -> None:
        self._sent_at[s] = self.now
        self.out.append(box)

    def _report_soon(self, ticks: int) -> None:
        self._report_at, self._pause = self.now + ticks, 4

    def _report(self) -> None:
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._report_at = self.now + self._pause
        starts = tuple(self.store.starts)
        if starts:
            self._say(("report", min(self.store.outbox), self.store.sealed, starts), 14 + 8 * len(starts))

    def _retransmit(self, numbers: tuple[int, ...]) -> None:
        for s in numbers:
            entry = self.store.outbox.get(s)
            if not entry or not entry.box or self.now - self._sent_at.get(s, -REST) < REST:
                continue
            box = entry.box
            if entry.epoch != self.unit.epoch:
                self._say(("voucher", s, box.digest), 23)
                if not holds("late messages are vouched for, not sealed again"):
                    box, _ = self.unit.seal("message", box.body, 40)
            self._transmit(s, box)
