# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The agent and generations: bundles for its own unit, and bundles for others."""

from ndks_protocol import errors
from ndks_protocol.wire import MASTER

from ..exceptions import DeviceError
from ..network.bundle import BadBundle, Bundle, pack_ask
from .events import Entered, LeftOut, Refused
from .kept import Kept
from .station import Station

_LEFT_OUT = "left out"
# A notice that the unit refuses with one of these will never fit; after any other error it is given again.
_FINAL = {
    *(errors.STALE, errors.HEADER, errors.AUTH, errors.RANGE, errors.ROSTER, errors.DIVERGED, errors.BINDING),
    *(errors.SUITE, errors.KIND, errors.CAPSULE_VERSION, errors.NO_EPOCH),
}


class Answer:
    """What others wait for: the bundles later than g, when the time has come."""

    def __init__(self, at: int, g: int) -> None:
        self.at = at
        self.g = g


class Generations:
    """Bundles are in the store; in memory is since when candidates wait, and when what was last published."""

    def __init__(self, station: Station, public: bytes) -> None:
        self._station = station
        self._public = public
        self._kept = Kept(station.store, station.limits)
        self._since: dict[bytes, int] = {}
        self._hints: dict[int, bytes] = {}
        self._refused: dict[bytes, None] = {}  # digests, the oldest first
        self._answer: Answer | None = None
        self._ask_at = 0
        self._answered_at = self._shown_at = -station.limits.repeat - station.limits.shows
        self._repeated_at = -station.limits.repeat
        self._is_behind = False  # something came that this unit cannot read

    def resume(self) -> None:
        """Settle what a crash left: a candidate that the unit has entered is kept; kept ones may be later still."""
        g = self._station.g
        with self._station.store.step():
            for bundle in self._kept.in_order():
                if bundle.g == g:
                    self._kept.keep(bundle)
            for bundle in self._kept.later(g):
                self._since.setdefault(bundle.digest, self._station.now)
                self._kept.candidates[bundle.digest] = bundle

    def fell_behind(self) -> None:
        """Note that a capsule has come whose generation this unit may not have."""
        self._is_behind = True

    def take(self, content: bytes) -> bool:
        """Take a bundle from the channel; return whether the unit entered a generation. BadBundle: it is not one."""
        bundle = self._known(content)
        if bundle is None:
            bundle = Bundle.parse(content)
            if not bundle.is_signed_by(self._public):
                raise BadBundle("its signature is wrong")
        g = self._station.g
        if bundle.g <= g:
            if bundle.g == g and bundle.g not in self._kept.bundles:
                self._keep(bundle)
            return False
        if bundle.notices_for(self._hint(bundle.g)):
            self._wait(bundle)
            return self.enter()
        if self.left_out is None or bundle.g > self.left_out:
            with self._station.store.step():
                self._station.store.note(_LEFT_OUT, bundle.g)
        self._station.tell(LeftOut(bundle.g))
        self._show()  # its administrator may not know of this member
        return False

    @property
    def left_out(self) -> int | None:
        """The newest generation that has no notice for this unit, unless the unit is in one as new."""
        g = self._station.store.fact(_LEFT_OUT)
        return g if g is not None and g > self._station.g else None

    def enter(self) -> bool:
        """Give the unit the candidates, the oldest first, and for a while none ahead of its predecessor.

        Return whether it entered a generation.
        """
        entered = False
        for bundle in self._kept.in_order():
            g = self._station.g
            if bundle.g <= g:
                self._drop(bundle)
            elif g < 0 or bundle.previous <= g or self._has_waited(bundle):
                entered |= self._give(bundle)
        return entered

    def answer(self, g: int) -> None:
        """Somebody is in generation g, or -1: in one before this unit's own."""
        station = self._station
        if not self._kept.later(g) or self._answer or station.now < self._answered_at + station.limits.answers:
            return
        slot = 2 * station.slot()  # only a few are first, as with masters
        self._answer = Answer(station.now + (0 if self._is_master else slot), g)

    def tick(self, *, retained: bool) -> None:
        """Ask for bundles, and publish those that others wait for; the channel has them if it has `retained` any."""
        station, limits = self._station, self._station.limits
        self._is_behind |= bool(self._kept.candidates) or station.g < 0
        if station.is_silent:
            return
        if self._is_behind and station.now >= self._ask_at:
            self._is_behind, self._ask_at = False, station.now + limits.rest
            station.publish(pack_ask(station.g), passing=True)
        is_due = self._is_master and not self._answer and station.now >= self._repeated_at + limits.repeat
        if is_due and not retained:
            self._answer = Answer(station.now, -1)
        if self._answer and station.now >= self._answer.at:
            for bundle in self._kept.later(self._answer.g):
                station.publish(bundle.content)
            self._answer, self._answered_at, self._repeated_at = None, station.now, station.now

    @property
    def _is_master(self) -> bool:
        return self._station.ticked.role == MASTER

    def _known(self, content: bytes) -> Bundle | None:
        """Return the bundle with this content if it is already kept: somebody has published it."""
        bundle = next((kept for kept in self._kept.bundles.values() if kept.content == content), None)
        if bundle is not None:
            self._repeated_at = self._station.now
            if self._answer and self._kept.later(self._answer.g)[:1] == [bundle]:
                self._answer = None  # somebody else was first
        return bundle

    def _hint(self, g: int) -> bytes:
        """Return the unit's hint, which may take it seconds of steps; b"": it has no member key of g."""
        if g not in self._hints:
            self._hints = {known: hint for known, hint in self._hints.items() if known > self._station.g}
            try:
                self._hints[g] = self._station.unit.hint(g)
            except DeviceError as error:
                if error.number not in (errors.STALE, errors.NO_EPOCH):
                    raise
                self._hints[g] = b""
        return self._hints[g]

    def _wait(self, bundle: Bundle) -> None:
        """Make a bundle a candidate, but only once: it is in the store before the unit is asked."""
        if bundle.digest in self._kept.candidates or bundle.digest in self._refused:
            return
        with self._station.store.step():
            self._kept.add_candidate(bundle)
        self._since[bundle.digest] = self._station.now

    def _has_waited(self, bundle: Bundle) -> bool:
        since = self._since.setdefault(bundle.digest, self._station.now)
        return self._station.now - since >= self._station.limits.wait

    def _give(self, bundle: Bundle) -> bool:
        """Give a bundle to the unit: all the notices in it that may be the unit's; return whether it entered."""
        refusal = 0
        for notice in bundle.notices_for(self._hint(bundle.g)):
            try:
                self._station.epoch = self._station.unit.notice(bundle.g, notice)
            except DeviceError as error:
                if error.number not in _FINAL:
                    raise
                refusal = error.number if refusal != errors.ROSTER else refusal
                continue
            self._keep(bundle)
            self._is_behind = False
            self._station.tell(Entered(bundle.g))
            return True
        self._refuse(bundle, refusal)
        return False

    def _refuse(self, bundle: Bundle, error: int) -> None:
        self._drop(bundle)
        self._station.tell(Refused(bundle.g, error))
        if error == errors.ROSTER:
            self._show()
            return
        self._refused[bundle.digest] = None  # it will not fit later either
        if len(self._refused) > self._station.limits.candidates:
            del self._refused[next(iter(self._refused))]

    def _keep(self, bundle: Bundle) -> None:
        with self._station.store.step():
            self._kept.keep(bundle)
        self._since.pop(bundle.digest, None)

    def _drop(self, bundle: Bundle) -> None:
        with self._station.store.step():
            self._kept.drop(bundle)
        self._since.pop(bundle.digest, None)

    def _show(self) -> None:
        """Let administrators see this side's newest bundle: whoever made a later one learns from it, and merges."""
        station, newest = self._station, self._kept.newest()
        if newest and station.now >= self._shown_at + station.limits.shows and not station.is_silent:
            self._shown_at = station.now
            station.publish(newest.content)
