# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What is known of one sender: numbers delivered, unreadable or named as lost; what waits; what the sender said."""

from collections.abc import Iterator
from enum import IntEnum

from .events import Why
from .packets import Report
from .spans import Span, Spans


class Known(IntEnum):
    """Sets of numbers, as the store has them."""

    DELIVERED = 0
    UNREADABLE = 1
    LOST = 2  # for any reason; below, for each
    NOT_KEPT = LOST + Why.NOT_KEPT
    GENERATION = LOST + Why.GENERATION
    EPOCH = LOST + Why.EPOCH


class Inbox:
    """The state of one sender in memory; `inboxes` keeps it in the store.

    What the sender said (`first`, `reported`, `starts`, vouchers) and what follows from it is forgotten when the list
    of revoked lanes grows, because a thief may have said it; what was delivered is not. That is an exact set, because a
    thief may have sent any number, so the count of spans is not limited; but nothing goes through all of them for each
    message.
    """

    def __init__(self) -> None:
        self.sets = {kind: Spans() for kind in Known}
        self.waiting = set[int]()  # the texts are in the store
        self.first = 1  # that the sender still has
        self.reported = 0  # the last one that the sender told of
        self.top = 0  # the highest one that came
        self.starts: tuple[tuple[int, int], ...] = ()
        self._missing: Spans | None = None
        self._known = Spans()  # delivered or unreadable
        self._settled = 0  # all numbers up to this one are delivered or lost, for ever

    def add(self, kind: Known, span: Span) -> tuple[list[int], Span]:
        """Add numbers to one of the sets, as `Spans.add`."""
        if kind in (Known.DELIVERED, Known.UNREADABLE):
            self._known.add(*span)
        self.changed()
        return self.sets[kind].add(*span)

    def forget_claims(self) -> None:
        self.sets[Known.UNREADABLE] = Spans()
        self._known = Spans(self.sets[Known.DELIVERED])
        self.waiting.clear()
        self.first, self.reported, self.top, self.starts = 1, 0, 0, ()
        self.changed()

    def changed(self) -> None:
        """Have `missing` computed again: what it depends on has changed."""
        self._missing = None

    def take_report(self, report: Report) -> bool:
        """Return whether it says something new. `first` only grows; an older report says nothing of the rest."""
        first = max(self.first, report.first)
        new = (report.last, report.starts) if report.last >= self.reported else (self.reported, self.starts)
        is_new = (first, *new) != (self.first, self.reported, self.starts)
        self.first, (self.reported, self.starts) = first, new
        self.changed()
        return is_new

    def missing(self, held: frozenset[int]) -> Spans:
        """Return what can still come: not known, and either of a generation that the unit holds or not told of yet."""
        if self._missing is None:
            parts = [(first, last) for g, first, last in self._parts() if g in held]
            parts.append((self.reported + 1, self.top))  # about which nothing has been said yet
            expected = Spans((max(first, self.first), last) for first, last in parts if max(first, self.first) <= last)
            self._missing = expected.without((self._known, self._waiting_spans()))
        return self._missing

    def passed(self, up_to: int, held: frozenset[int]) -> Spans:
        """Return what will not come and was not named as lost, up to a number that was told of or delivered."""
        self._settle()
        settled = (*self.sets.values(), self._waiting_spans(), self.missing(held))
        return Spans([(self._settled + 1, up_to)]).without(settled) if up_to > self._settled else Spans()

    def _settle(self) -> None:
        """Pass over what is settled beyond the number settled last."""
        delivered, lost = self.sets[Known.DELIVERED], self.sets[Known.LOST]
        while last := delivered.end_of(self._settled + 1) or lost.end_of(self._settled + 1):
            self._settled = last

    def reasons(self, span: Span) -> Iterator[tuple[Span, Why]]:
        """Yield the parts of a span of `passed`, with the reason of each."""
        kept = max(self.first, self.starts[0][1]) if self.starts else self.first
        if span[0] < kept:
            yield (span[0], min(span[1], kept - 1)), Why.NOT_KEPT
        if span[1] >= kept:
            yield (max(span[0], kept), span[1]), Why.GENERATION

    def _parts(self) -> Iterator[tuple[int, int, int]]:
        """Yield generation, first and last number of what the sender told of."""
        ends = [s - 1 for _, s in self.starts[1:]] + [self.reported]
        for (g, first), last in zip(self.starts, ends, strict=False):
            yield g, first, last

    def _waiting_spans(self) -> Spans:
        return Spans((s, s) for s in sorted(self.waiting))
