# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The administrator's file: the root, who is in, who was revoked. Each change is a new generation for everybody."""

from random import Random
from typing import NamedTuple

from .capsules import Box, Head, derive, header_key_of, hint_of, member_key
from .epochs import Member
from .generations import Notice, Operators, Side
from .packets import NO_GENERATION, Bundle, Signature
from .rules import ADMINISTRATORS, KNOWN, LIMITS, MOST_REVOKED, MOST_SIDES, holds

FIRST_OPERATORS = (3, 0, 0)


class Given(NamedTuple):
    """A lane that was given."""

    mode: str
    joined: int  # g
    state: int  # 0 in, 1 retired, 2 revoked


IN, RETIRED, REVOKED = range(3)


class Known(NamedTuple):
    """A generation that this administrator or another has made."""

    operators: Operators
    secret: bytes
    revoked: frozenset[int]
    members: frozenset[int]


class Record(NamedTuple):
    """What a bundle says to other administrators."""

    known: frozenset[int]
    given: tuple[tuple[int, Given], ...]
    this: Known


class TooManyRevoked(Exception):
    """This administrator has revoked as many as it may: else a merge would not fit into a notice."""


class Administrator:
    """One of `of` administrators, each with its own number and a file of its own."""

    def __init__(self, number: int, root: bytes, random: Random, of: int = 1) -> None:
        self.number, self.root, self._random, self._of = number, root, random, of
        self.public = derive(root, "ndks bundle signature")
        self.g, self._last_lane = NO_GENERATION, number
        self.given: dict[int, Given] = {}
        self.known: dict[int, Known] = {}
        self.bundles: dict[int, Bundle] = {}
        self.operators: Operators = FIRST_OPERATORS
        self._revocations = 0

    # The file

    @property
    def revoked(self) -> set[int]:
        return {lane for lane, given in self.given.items() if given.state == REVOKED}

    def new_member(self, mode: str = "elected") -> Member:
        """Give a lane of this administrator's own; return what the candidate's unit gets with the next generation."""
        self._last_lane += ADMINISTRATORS
        lane, g = self._last_lane, self._next_g()
        self.given[lane] = Given(mode, g, IN)
        return Member(lane, g, member_key(self.root, lane, g), mode)

    @property
    def may_revoke(self) -> bool:
        if holds("each administrator revokes its part at most"):
            return self._revocations < MOST_REVOKED // self._of
        return True

    def revoke(self, lane: int) -> None:
        """Revoke a member. TooManyRevoked."""
        if not self.may_revoke:
            raise TooManyRevoked
        if self.given[lane].state != REVOKED:
            self._revocations += 1
        self._raise_state(lane, REVOKED)

    def retire(self, lane: int, *, zeroized: bool) -> None:
        """Let a member go: into the list of revoked ones only if nobody saw its unit zeroized."""
        if zeroized and holds("who was seen zeroized is not listed"):
            self._raise_state(lane, RETIRED)
        else:
            self.revoke(lane)

    def _raise_state(self, lane: int, state: int) -> None:
        given = self.given[lane]
        self.given[lane] = given._replace(state=max(given.state, state))

    # Generations

    def _next_g(self) -> int:
        g = self.g + 1
        return g + (self.number - g) % ADMINISTRATORS

    def issue(self, *, merge: bool = False) -> Bundle:
        """Make the next generation from the file as it stands; the file is on disk before anything is published."""
        previous, self.g = self.g, self._next_g()
        revoked = frozenset(self.revoked)
        members = frozenset(lane for lane, given in self.given.items() if given.state == IN)
        this = Known(self.operators, self._random.randbytes(32), revoked, members)
        notices = tuple(self._notice(lane, this, merge=merge) for lane in sorted(members))
        bundle = Bundle(self.g, previous, notices, self._record(this), None)
        bundle = bundle._replace(signature=Signature(self.public, bundle.content))
        self._keep(bundle, this)
        return bundle

    def _notice(self, lane: int, this: Known, *, merge: bool) -> tuple[bytes, Box]:
        key = member_key(self.root, lane, self.g)
        sides = [
            Side(g, known.secret, known.revoked, known.operators)
            for g, known in sorted(self.known.items())[-min(LIMITS.past, MOST_SIDES) :]
            if merge and lane in known.members
        ]
        notice = Notice(self.g, this.operators, this.secret, tuple(sorted(this.revoked)), tuple(sides))
        size = 40 + 2 * len(this.revoked) + 38 * len(sides)
        head = Head("control", 0xFFF0 + self.number, self.g + 1, 0)
        return hint_of(key), Box(header_key_of(key), head, key, notice, size)

    def _record(self, this: Known) -> Box:
        key = derive(self.root, "ndks administrators")
        known = frozenset(sorted(self.known)[-KNOWN:]) | {self.g}
        record = Record(known, tuple(sorted(self.given.items())), this)
        return Box(key, Head("record", 0, 0, 0), key, record, 3 + 35 + 2 * len(known) + 13 * len(self.given) - 21)

    def _keep(self, bundle: Bundle, this: Known) -> None:
        self.known = dict(sorted({**self.known, bundle.g: this}.items())[-KNOWN:])
        self.bundles = dict(sorted({**self.bundles, bundle.g: bundle}.items())[-LIMITS.past - 1 :])

    def on_bundle(self, bundle: Bundle) -> Bundle | None:
        """Learn what another administrator did; where generations went past each other, make one that has both."""
        if not bundle.is_signed(self.public) or bundle.g in self.bundles:
            return None
        record: Record = bundle.record.opened(derive(self.root, "ndks administrators"))
        theirs, ours = dict(record.given), dict(self.given)
        for lane, given in theirs.items():
            self.given.setdefault(lane, given)
            self._raise_state(lane, given.state)
        newer = bundle.g > self.g
        passed_over = self.g != NO_GENERATION and self.g not in record.known
        if newer:
            self.g, self.operators = bundle.g, record.this.operators
        self._keep(bundle, record.this)
        lacks = self.given != theirs if newer else self.given != ours
        if lacks or (newer and passed_over):
            return self.issue(merge=True)
        return None
