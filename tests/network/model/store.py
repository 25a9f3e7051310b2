# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The data base of an agent: each statement is one transaction, and the host may crash before the next one."""

from typing import NamedTuple

from .capsules import Box
from .packets import NO_GENERATION, Bundle

Start = tuple[int, int]  # a generation, and the first s that was sealed in it


class Entry(NamedTuple):
    """A message of the own member; `box` is None until it is sealed."""

    payload: bytes
    box: Box | None = None
    epoch: int = 0


class Delivered(NamedTuple):
    lane: int
    s: int
    data: bytes
    late: bool  # it had been named as lost


class Inbox:
    """What is known of one sender: numbers delivered or unreadable, what waits, what the sender said it has."""

    def __init__(self) -> None:
        self.delivered: set[int] = set()
        self.forget_claims()

    def forget_claims(self) -> None:
        """Forget all that a revoked unit may have said in this sender's name; never what was delivered."""
        self.unreadable: set[int] = set()
        self.waiting: dict[int, bytes] = {}
        self.first, self.reported, self.top = 1, 0, 0
        self.starts: tuple[Start, ...] = ()
        self.changed()

    def changed(self) -> None:
        self._missing: list[int] | None = None

    def missing(self, held: set[int]) -> list[int]:
        """Return what can still come: not known, and of a generation that the unit holds, or of which nobody said."""
        if self._missing is None:
            known = self.delivered | self.unreadable | set(self.waiting)
            ends = [s for _, s in self.starts[1:]] + [self.reported + 1][: len(self.starts)]
            spans = [range(max(s, self.first), end) for (g, s), end in zip(self.starts, ends, strict=True) if g in held]
            spans.append(range(max(self.first, self.reported + 1), self.top + 1))
            self._missing = [s for span in spans for s in span if s not in known]
        return self._missing


class Store:
    """What survives a crash of the host."""

    def __init__(self, g: int = NO_GENERATION) -> None:
        self.base = g  # of the package, less one: the generation before the first notice
        self.begun = False  # whether own messages are numbered yet
        self.outbox: dict[int, Entry] = {}
        self.last = self.sealed = 0
        self.starts: list[Start] = []
        self.inboxes: dict[int, Inbox] = {}
        self.vouchers: dict[int, tuple[int, int]] = {}  # digest of a capsule -> lane and s
        self.bundles: dict[int, Bundle] = {}
        self.pending: Bundle | None = None  # given to the unit, and not known to be entered
        self.cuts, self.entered = 0, NO_GENERATION
        self.log: list[Delivered] = []  # what the application got, in order

    def inbox(self, lane: int) -> Inbox:
        return self.inboxes.setdefault(lane, Inbox())
