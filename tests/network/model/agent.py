# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The agent's rules: messages, gaps, vouchers, bundles. Packets and ticks in, packets out; no clock, no sockets."""

from collections.abc import Callable
from random import Random
from typing import Any

from .capsules import Box, Refused
from .packets import Ask, Bundle, Packet
from .rules import LIMITS, LONGEST_TICK, holds
from .store import Delivered, Entry, Store
from .unit import Ticked, Unit

MOST_ASKED = 32  # numbers in one ask
WAIT = 256  # ticks that a bundle waits for the one before it
REST = 16  # ticks between two copies of the same thing
SLOW = 512  # ticks between repetitions of the newest bundle by the master's host
LONGEST_PAUSE = 128  # ticks between reports, and between asks
MOST_CANDIDATES = 64


class HostCrash(Exception):
    """The host stopped at a step of its store."""


class Agent:
    """The host of one unit. `crash_in` is the number of steps of the store until it crashes."""

    def __init__(self, unit: Unit, store: Store, random: Random, public: bytes) -> None:
        self.unit, self.store, self._random, self._public = unit, store, random, public
        self.start()

    def start(self) -> None:
        """Begin with what the store has; all else is lost."""
        self.crash_in: int | None = None
        self.out: list[Packet] = []
        self.now, self._report_at, self._pause, self._ask_at = 0, 0, 4, 0
        self._answered_at = self._repeated_at = self._shown_at = -SLOW
        self._asked: dict[int, tuple[int, int]] = {}
        self._sent_at: dict[int, int] = {}
        self._candidates: dict[tuple[Any, ...], tuple[Bundle, int]] = {}
        self._answer: tuple[int, int] | None = None
        self._unknown = False
        self._ticked: Ticked | None = None

    def _step(self) -> None:
        """Be at a place between two transactions."""
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                self.crash_in = None
                raise HostCrash

    def _do(self, work: Callable[..., None], *arguments: Any) -> list[Packet]:
        self.out = []
        work(*arguments)
        return self.out

    # What the host does

    def send(self, payload: bytes) -> list[Packet]:
        return self._do(self._send, payload)

    def receive(self, packet: Packet) -> list[Packet]:
        return self._do(self._receive, packet)

    def tick(self, ticks: int) -> list[Packet]:
        return self._do(self._tick, ticks)

    @property
    def g(self) -> int:
        """The unit's generation; before the first notice that before its own."""
        epoch = self.unit.epoch
        return self.store.base if epoch is None else epoch >> 16

    @property
    def _may_speak(self) -> bool:
        return self.unit.epoch is not None and self.unit.mode != "monitor"

    # Own messages

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

    def _say(self, body: tuple[Any, ...], size: int) -> None:
        if self._may_speak:
            box, _ = self.unit.seal("housekeeping", body, size)
            self.out.append(box)

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

    # Capsules of others

    def _receive(self, packet: Packet) -> None:
        if isinstance(packet, Bundle):
            self._on_bundle(packet)
        elif isinstance(packet, Ask):
            self._on_ask(packet.g)
        elif self.unit.epoch is None:
            self._unknown = True
        else:
            self._on_capsule(packet)

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
        since, pause = self._asked.setdefault(lane, (self.now, self._slot()))
        if not missing:
            self._asked.pop(lane)
        elif self.now - since >= pause:
            self._asked[lane] = (self.now, min(max(8, 2 * pause), LONGEST_PAUSE))
            asked = tuple(missing[:MOST_ASKED])
            self._say(("ask", lane, asked), 4 + 6 * len(asked))

    def _slot(self) -> int:
        """Return z: few are first, however many wait."""
        return self._random.getrandbits(16).bit_length()

    # Bundles

    def _on_bundle(self, bundle: Bundle) -> None:
        if not bundle.is_signed(self._public) and holds("bundles are signed"):
            return
        if self.store.bundles.get(bundle.g) == bundle:
            self._repeated_at = self.now
            if self._answer and bundle.g == self._later(self._answer[1])[0]:
                self._answer = None  # somebody else was first
        if bundle.g <= self.g:
            if self.unit.epoch is not None and bundle.g == self.g:
                self._keep(bundle)
            return
        notices = bundle.notices_for(self.unit.hint(bundle.g))
        if not notices:
            self._show()  # its administrator may not know of this member
        elif len(self._candidates) < MOST_CANDIDATES:
            key = (bundle.g, *(box.digest for box in notices), bundle.previous)
            self._candidates.setdefault(key, (bundle, self.now))
            self._enter()

    def _enter(self) -> None:
        """Give the unit the bundles that wait, the oldest first, and for a while none before its predecessor."""
        for key in sorted(self._candidates):
            bundle, since = self._candidates[key]
            if bundle.g <= self.g:
                del self._candidates[key]
            elif bundle.previous <= self.g or self.unit.epoch is None or self.now - since >= WAIT:
                del self._candidates[key]
                self._give(bundle)

    def _give(self, bundle: Bundle) -> None:
        if holds("a bundle is stored before NOTICE"):
            self.store.pending = bundle
            self._step()
        for box in bundle.notices_for(self.unit.hint(bundle.g)):
            try:
                self.unit.notice(bundle.g, box)
            except Refused as refused:
                if refused.name == "ROSTER":
                    self._show()
                continue
            self._step()
            self._keep(bundle)
            self._after_entering()
            self._report_soon(self._random.randrange(REST))
            self._unknown = False
            self._seal_waiting()
            return

    def _keep(self, bundle: Bundle) -> None:
        self.store.bundles = dict(sorted({**self.store.bundles, bundle.g: bundle}.items())[-LIMITS.past - 1 :])
        self.store.pending = None

    def _after_entering(self) -> None:
        """Forget what a revoked unit may have said of others; they say it again, in the new generation."""
        pending, epoch = self.store.pending, self.unit.epoch
        if epoch is None:
            return
        if pending and pending.g <= epoch >> 16:
            self._keep(pending)
        if self.store.entered != epoch >> 16:
            self.store.entered = epoch >> 16
            for inbox in self.store.inboxes.values():
                inbox.changed()
        cuts = len(self.unit.epochs.revoked)
        if cuts == self.store.cuts or not holds("claims are forgotten when the list grew"):
            return
        for inbox in self.store.inboxes.values():
            inbox.forget_claims()
        self.store.vouchers, self.store.cuts = {}, cuts

    def _on_ask(self, g: int) -> None:
        """Somebody is in generation g, or, for -1, in one before the own."""
        if self._later(g) and not self._answer and self.now >= self._answered_at + 2 * REST:
            self._answer = (self.now + (0 if self.unit.is_master else 2 * self._slot()), g)

    def _show(self) -> None:
        """Let administrators see the newest bundle of this side: a later one does not know what it says."""
        rests = self.now < self._shown_at + 4 * REST
        if self.store.bundles and not rests and holds("hosts show the bundle of their side"):
            self._shown_at = self.now
            self.out.append(self.store.bundles[max(self.store.bundles)])

    def _later(self, g: int) -> list[int]:
        return sorted(kept for kept in self.store.bundles if kept > g)

    # Time

    def _tick(self, ticks: int) -> None:
        self.now += min(ticks, LONGEST_TICK)  # who slept has waited for nothing
        self._enter()
        self._after_entering()
        if self.unit.epoch is None:
            self._unknown = True
        else:
            self._tick_member(ticks)
        self._speak_of_bundles()

    def _tick_member(self, ticks: int) -> None:
        ticked = self.unit.tick(ticks)
        if ticked.beacon:
            self.out.append(ticked.beacon)
        self._step()
        self._seal_waiting()
        if self._may_speak:
            if self.now >= self._report_at and self.store.sealed:
                self._report()
            for lane in sorted(self.store.inboxes):
                self._ask_for(lane)

    def _speak_of_bundles(self) -> None:
        if self.unit.mode == "monitor":
            return
        self._unknown = self._unknown or bool(self._candidates)
        if self._unknown and self.now >= self._ask_at:
            self._unknown, self._ask_at = False, self.now + REST
            self.out.append(Ask(self.g))
        if self.unit.is_master and self.now >= self._repeated_at + SLOW and not self._answer:
            self._answer = (self.now, -1)
        if self._answer and self.now >= self._answer[0]:
            self.out.extend(self.store.bundles[g] for g in self._later(self._answer[1]))
            self._answer, self._answered_at, self._repeated_at = None, self.now, self.now
