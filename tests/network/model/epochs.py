# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What happens to the generations of a unit: notices, moves, and the settling that purges what is superseded."""

from typing import NamedTuple

from .capsules import Box, Refused, header_key_of, hint_of, later_member_key
from .flash import Flash
from .generations import LIST_GREW, SETTLED, UNSETTLED, Generation, Notice, Past, entered, past_after
from .rules import AHEAD, LAST_GENERATION, LIMITS, MOST_REVOKED, MOST_SIDES, holds


class Member(NamedTuple):
    """What ENROL gives to a unit. In a network of before the key is empty, and the secret that of the network file."""

    lane: int
    g: int  # the first generation
    key: bytes  # M of it
    mode: str = "elected"  # or relay, monitor
    secret: bytes = b""


class Epochs:
    """The generations of a unit over its flash, and the wait between moves, which is in RAM."""

    def __init__(self, flash: Flash) -> None:
        """Do what UNLOCK does: finish what a power cut has interrupted."""
        self.flash = flash
        self.member: Member = flash.records["member"]
        self.first: tuple[int, bytes] | None = flash.records.get("first")
        self.here: Generation | None = flash.records.get("generation")
        self.past: tuple[Past, ...] = flash.records.get("past", ())
        self.rest = self.waiting = 0
        if self.member.secret and not self.here:
            notice = Notice(0, (0, 0, 0), self.member.secret, (), ())
            self.here = entered(b"", notice, self.member.mode, SETTLED)._replace(member_key=b"")
        self._complete_start()

    def _complete_start(self) -> None:
        if self._was_cut_short(self.past) and holds("record 21 is written anew at UNLOCK"):
            self._undo_entry()
        here = self.here
        if here is None:
            return
        self.past = tuple(entry for entry in self.past if entry.g < here.g)
        if self.first and here.member_key:
            self._blank_first()
        self.settle()

    def _was_cut_short(self, past: tuple[Past, ...]) -> bool:
        """Return whether record 21 has the present generation, which was not left."""
        return any(self.here is None or entry.g >= self.here.g for entry in past)

    def _undo_entry(self) -> None:
        """Return to the record 21 before, which is still there; what was written must go from flash, too."""
        before = next((past for past in self.flash.before("past") if not self._was_cut_short(past)), ())
        if self.here:
            self._write_here(self.here._replace(settled=UNSETTLED))
        self._write_past(before)
        if not self.here:
            self.flash.compact()

    @property
    def present(self) -> Generation:
        """The present generation. Refused(NO_EPOCH): there was no notice yet."""
        if self.here is None:
            raise Refused("NO_EPOCH")
        return self.here

    @property
    def revoked(self) -> frozenset[int]:
        return self.here.revoked if self.here else frozenset()

    # Notices

    def key_for(self, g: int) -> bytes:
        """Return M of a later generation. Refused STALE, NO_EPOCH (a network of before has none)."""
        if self.here:
            base, key = self.here.g + 1, self.here.member_key
        else:
            base, key = self.first or (self.member.g, b"")
        if not key:
            raise Refused("NO_EPOCH")
        if g < base:
            raise Refused("STALE")
        if g > LAST_GENERATION or (g - base >= AHEAD and not holds("M steps however far")):
            raise Refused("RANGE")
        return later_member_key(key, g - base)

    def hint(self, g: int) -> bytes:
        return hint_of(self.key_for(g))

    def notice(self, g: int, box: Box) -> None:
        """Enter generation g."""
        key = self.key_for(g)
        if box.header_key != header_key_of(key):
            raise Refused("HEADER")
        notice: Notice = box.opened(key)
        if notice.g != g:
            raise Refused("AUTH")
        self._check(notice)
        grew = not frozenset(notice.revoked) <= self.revoked
        mode = self.here.mode if self.here else self.member.mode
        left = self.here
        if left or notice.sides:
            self._write_past(past_after(left, self.past, notice))
        settled = LIST_GREW if grew and holds("windows are emptied when the list grew") else UNSETTLED
        self.here = entered(key, notice, mode, settled)
        self.flash.write("generation", self.here)
        if self.first:
            self._blank_first()
        self.waiting = 0
        self.settle()

    def _check(self, notice: Notice) -> None:
        ascending = list(notice.revoked) == sorted(set(notice.revoked))
        if len(notice.revoked) > MOST_REVOKED or len(notice.sides) > MOST_SIDES or not ascending:
            raise Refused("RANGE")
        if self.member.lane in notice.revoked:
            raise Refused("RANGE")
        if not self.revoked <= frozenset(notice.revoked) and holds("no generation forgets a revocation"):
            raise Refused("ROSTER")

    def _write_past(self, past: tuple[Past, ...]) -> None:
        self.past = past
        self.flash.write("past", past)

    def _blank_first(self) -> None:
        self.first = None
        self.flash.write("first", None)

    def settle(self) -> None:
        """Purge all that is superseded; when the list grew, empty the windows first: a thief may have moved them."""
        here = self.here
        if here is None or here.settled == SETTLED or not holds("what is superseded is purged"):
            return
        if here.settled == LIST_GREW:
            self.flash.write("windows", {})
        if self.member.secret:  # of a network of before, whose secret would open what was given up
            self.member = self.member._replace(secret=b"")
            self.flash.write("member", self.member)
        self.flash.compact()
        self._write_here(here._replace(settled=SETTLED))
        self.flash.compact()

    def _write_here(self, generation: Generation) -> None:
        self.here = generation
        self.flash.write("generation", generation)

    def set_mode(self, mode: str) -> None:
        self._write_here(self.present._replace(mode=mode))

    # Moves

    def hear(self, number: int) -> bool:
        """Hear a number, and move to it if it is time: each move wears flash. Return whether the number moved."""
        if number > self.present.number:
            self.waiting = max(self.waiting, number)
        if self.waiting <= self.present.number or self.rests:
            return False
        self.move(self.waiting)
        return True

    @property
    def rests(self) -> bool:
        """Whether the last move was just now."""
        return self.rest > 0 and holds("one move in 64 ticks")

    def move(self, number: int) -> None:
        """Go on to a later epoch, by as many steps as one move leads."""
        here = self.present.moved(number)
        self._write_here(here._replace(settled=UNSETTLED) if self.member.secret else here)
        self.rest = LIMITS.pause
        self.settle()

    def tick(self, ticks: int) -> None:
        """Let time pass; do the move that waits."""
        self.rest = max(0, self.rest - ticks)
        self.hear(0)

    # Opening

    def generation_of(self, header_key: bytes) -> Generation | Past:
        for generation in (self.here, *self.past):
            if generation and generation.header_key == header_key:
                return generation
        raise Refused("HEADER")

    def cuts(self, generation: Generation | Past) -> bool:
        """Return whether a thief may have made capsules of this generation after its revocation."""
        older = generation is not self.here and len(generation.revoked) < len(self.revoked)
        return older and holds("what is of before a revocation is cut")
