# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The unit: its commands of networks, with the order of their checks."""

from typing import Any, NamedTuple

from .capsules import Box, Head, Refused
from .epochs import Epochs
from .flash import Flash
from .generations import Generation, Past
from .roles import Draw, Roles
from .rules import AHEAD, LAST_NUMBER, LIMITS, LONGEST_TICK, holds
from .windows import Windows, accepted, check

BEACON_SIZE = 9  # bytes
MAY_ACCEPT = ("data",)
MODES = ("elected", "relay", "monitor")


class Ticked(NamedTuple):
    role: int  # 0 slave, 1 master
    epoch: int
    revoked: int  # how many
    term: int
    master: int
    beacon: Box | None


class Opened(NamedTuple):
    kind: str
    epoch: int
    lane: int
    number: int
    data: Any


class Unit:
    """An unlocked unit. `draw` gives random u16."""

    def __init__(self, flash: Flash, draw: Draw) -> None:
        self.flash, self._draw = flash, draw
        self.start()

    def start(self) -> None:
        """Do what power and UNLOCK do. PowerCut may interrupt it."""
        records = self.flash.records
        self._next = self._end = records.get("numbers", 1)
        self.erased = "member" not in records
        if self.erased:
            return
        self.epochs = Epochs(self.flash)
        self.roles = Roles(self.epochs.member.lane, self._draw)

    def end_session(self) -> None:
        """The host begins a new session, the numbers that were reserved stay."""
        following, end = self._next, self._end
        self.start()
        self._next, self._end = following, end

    def erase(self) -> None:
        """The case was opened, or ZEROIZE."""
        self.flash.erase()
        self.start()

    # What hosts see

    @property
    def lane(self) -> int:
        return self.epochs.member.lane

    @property
    def own_number(self) -> int:
        return self._next - 1

    @property
    def epoch(self) -> int | None:
        here = self.epochs.here
        return here.g << 16 | here.number if here else None

    @property
    def mode(self) -> str:
        return self.epochs.here.mode if self.epochs.here else self.epochs.member.mode

    @property
    def is_master(self) -> bool:
        return not self.erased and self.roles.is_master

    # Commands

    def tick(self, ticks: int) -> Ticked:
        here = self.epochs.present
        ticks = min(ticks, LONGEST_TICK) if holds("a TICK counts 16 at most") else ticks
        self.epochs.tick(ticks)
        here = self.epochs.present
        beacon = None
        if here.mode != "monitor" and self.roles.tick(ticks):
            head = Head("control", self.lane, self._take(), 0)
            body = ("beacon", here.g, here.number, self.roles.term)
            beacon = Box(here.header_key, head, here.control_key, body, BEACON_SIZE)
        roles = self.roles
        return Ticked(
            int(self.is_master), here.g << 16 | here.number, len(here.revoked), roles.term, roles.master, beacon
        )

    def control(self, box: Box) -> str:
        generation = self._checked(box, control=True)
        _, g, number, term = box.opened(self.epochs.present.control_key)
        if g != generation.g:
            raise Refused("AUTH")
        if number > LAST_NUMBER:
            raise Refused("RANGE")
        moved = self.epochs.hear(number)
        own = self.epochs.present.number
        heard = self.roles.hear(box.head.lane, box.head.n, term, lags=number < own)
        return "moved" if moved else heard

    def notice(self, g: int, box: Box) -> int:
        was_master = self.is_master
        self.epochs.notice(g, box)
        self.roles.enter(was_master=was_master)
        return self.epochs.present.g << 16

    def hint(self, g: int) -> bytes:
        return self.epochs.hint(g)

    def renew(self) -> int:
        here = self.epochs.present
        if here.mode == "monitor" or here.number >= LAST_NUMBER:
            raise Refused("RANGE")
        if self.epochs.rests:
            raise Refused("DELAYED")
        self.epochs.move(here.number + 1)
        if self.is_master:
            self.roles.due = True
        else:
            self.roles.lead()
        return self.epochs.present.g << 16 | self.epochs.present.number

    def set_role(self, mode: str) -> None:
        _ = self.epochs.present
        if mode not in MODES:
            raise Refused("RANGE")
        if mode != self.mode:
            self.epochs.set_mode(mode)
        if mode == "monitor":
            self.roles.stop()

    def seal(self, kind: str, body: Any, size: int) -> tuple[Box, int]:
        """Return a capsule under the next own number, and its epoch."""
        here = self.epochs.present
        if kind == "control":
            raise Refused("KIND")
        if here.mode == "relay" and not self.is_master and kind in ("data", "message"):
            self.roles.lead()
        head = Head(kind, self.lane, self._take(), here.number)
        return Box(here.header_key, head, here.key_of(here.number), body, size), here.g << 16 | here.number

    def open(self, box: Box, *, vouched: bool = False, again: bool = True, allow_jump: bool = True) -> Opened:
        """Open a capsule; the agent uses both flags of windows."""
        generation = self._checked(box, vouched=vouched)
        check(self._windows, box.head.lane, box.head.n, again=again, allow_jump=allow_jump)
        number = box.head.number
        body = box.opened(generation.key_of(number))
        if generation is self.epochs.here:
            self.epochs.hear(number)
        return Opened(box.head.kind, generation.g << 16 | number, box.head.lane, box.head.n, body)

    def accept(self, box: Box, *, allow_jump: bool = False) -> None:
        self._checked(box, kinds=MAY_ACCEPT, vouched=True)
        lane, n = box.head.lane, box.head.n
        try:
            check(self._windows, lane, n, again=False, allow_jump=allow_jump)
        except Refused as refused:
            if refused.name == "DUPLICATE":
                return
            raise
        self.flash.write("windows", accepted(self._windows, lane, n))

    @property
    def _windows(self) -> Windows:
        return self.flash.records.get("windows", {})

    def _checked(
        self, box: Box, *, control: bool = False, vouched: bool = False, kinds: tuple[str, ...] = ()
    ) -> Generation | Past:
        """Do the checks in their order, and return the generation of a capsule."""
        epochs, head = self.epochs, box.head
        here = epochs.present
        generation = epochs.generation_of(box.header_key)
        if head.lane == self.lane:
            raise Refused("REFLECTED")
        if head.lane in here.revoked and holds("capsules of revoked lanes are refused"):
            raise Refused("REVOKED")
        if head.kind == "control" and generation is not here:
            raise Refused("STALE")
        if (head.kind == "control") != control or (kinds and head.kind not in kinds):
            raise Refused("KIND")
        if control:
            return generation
        if head.number < generation.low:
            raise Refused("TOO_OLD")
        if head.number > generation.number + AHEAD and not vouched:
            raise Refused("TOO_FAR")
        if epochs.cuts(generation) and not vouched:
            raise Refused("CUT")
        return generation

    def _take(self) -> int:
        """Return the next own number; a block of them is reserved before it is used."""
        if self._next >= self._end:
            if holds("numbers are reserved before use"):
                self.flash.write("numbers", self._next + LIMITS.block)
            self._end = self._next + LIMITS.block
        self._next += 1
        return self._next - 1
