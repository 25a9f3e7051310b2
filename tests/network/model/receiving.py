# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The agent as a receiver."""

from typing import Any

from .bundles import Bundles
from .capsules import Box, Refused
from .station import LONGEST_PAUSE, MOST_ASKED
from .store import Delivered


class Receiving(Bundles):
    """What others send, what they say they have, and what is missing of it."""

    def _on_capsule(self, box: Box) -> None:
        voucher = self.store.vouchers.get(box.digest)
        try:
            self._open(box, voucher)
        except Refused as refused:
            if refused.name == "STALE":
                self._on_ask(-1)
            elif voucher and refused.name == "TOO_OLD":
                self.store.inbox(voucher[0]).unreadable.add(voucher[1])
                self._deliver(voucher[0])
            elif refused.name == "HEADER" and not voucher:
                self._unknown = True

    def _open(self, box: Box, voucher: tuple[int, int] | None) -> None:
        try:
            opened = self.unit.open(box, vouched=voucher is not None)
        except Refused as refused:
            if refused.name != "KIND":
                raise
            self.unit.control(box)
            return
        self._step()
        if voucher and (opened.kind, opened.lane, opened.data[0]) != ("message", *voucher):
            return
        if opened.kind == "message":
            self._on_message(opened.lane, *opened.data)
        elif opened.kind == "housekeeping":
            self._on_word(opened.lane, *opened.data)

    def _on_word(self, lane: int, what: str, *fields: Any) -> None:
        if what == "report":
            inbox = self.store.inbox(lane)
            inbox.first = max(inbox.first, fields[0])
            if fields[1] >= inbox.reported:
                inbox.reported, inbox.starts = fields[1:]
            self._deliver(lane)
        elif what == "voucher":
            self.store.vouchers[fields[1]] = (lane, fields[0])
        elif what == "ask" and fields[0] == self.unit.lane:
            self._retransmit(fields[1])

    def _on_message(self, lane: int, s: int, payload: bytes) -> None:
        inbox = self.store.inbox(lane)
        if s in inbox.delivered:
            return
        inbox.waiting[s] = payload
        inbox.top = max(inbox.top, s)
        self._step()
        self._deliver(lane)

    def _held(self) -> set[int]:
        epochs = self.unit.epochs
        return {generation.g for generation in (epochs.here, *epochs.past) if generation}

    def _deliver(self, lane: int) -> None:
        """Hand over what is in order; what was named as lost and comes all the same is handed over late."""
        inbox = self.store.inbox(lane)
        inbox.changed()
        gaps = inbox.missing(self._held())
        for s in sorted(inbox.waiting):
            if not gaps or s < gaps[0]:
                late = s < max(inbox.delivered, default=0)
                self.store.log.append(Delivered(lane, s, inbox.waiting.pop(s), late))
                inbox.delivered.add(s)  # with the line above: one transaction

    def _ask_for(self, lane: int) -> None:
        missing = self.store.inbox(lane).missing(self._held())
        if not missing:
            self._asked.pop(lane, None)
            return
        since, pause, asked = self._asked.get(lane, (self.now, 0, ()))
        if not pause:
            pause = self._slot()
        if any(s not in missing for s in asked):  # the sender answers
            pause, asked = self._slot(), ()
        if self.now - since >= pause:
            since, pause = self.now, min(2 * pause, LONGEST_PAUSE) if asked else 8
            asked = tuple(missing[:MOST_ASKED])
            self._say(("ask", lane, asked), 4 + 6 * len(asked))
        self._asked[lane] = since, pause, asked
