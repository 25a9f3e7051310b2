# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The agent as a receiver: what others send, what they say they have, and what of it is missing."""

from typing import NamedTuple

from ndks_protocol.wire import HOUSEKEEPING, MESSAGE

from .arrivals import Arrivals
from .events import Delivered, Lost, Room, Why
from .inbox import Inbox, Known
from .inboxes import Inboxes
from .packets import MOST_ASKED, Ask, BadPacket, Message, Report, Voucher, parse_housekeeping, parse_message
from .station import Station
from .unit import Opened
from .vouchers import Vouched, Vouchers


class Asked(NamedTuple):
    """When a sender was asked, how long until it is asked again, and for what; nothing: not yet, or it has answered."""

    since: int
    pause: int
    numbers: tuple[int, ...]


class Receiving:
    """Inboxes and vouchers in the store; in memory, what a sender was asked for."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self.arrivals = Arrivals(station.store)
        self.vouchers = Vouchers(station.store, station.limits.vouchers)
        self.inboxes = Inboxes(station.store)
        self._was_full = False
        self._asked: dict[int, Asked] = {}  # by lane

    def take(self, opened: Opened, vouched: Vouched | None) -> Ask | None:
        """Take an opened capsule; return it if it is an ask for messages of this unit. BadPacket."""
        if opened.kind == MESSAGE:
            self._take_message(opened, parse_message(opened.data), vouched)
        if opened.kind != HOUSEKEEPING or vouched:
            return None
        body = parse_housekeeping(opened.data)
        if isinstance(body, Report):
            self._take_report(opened.lane, body)
        elif isinstance(body, Voucher):
            with self._station.store.step():
                self.vouchers.add(opened.lane, body)
        elif body.lane == self._station.unit.lane:
            return body
        return None

    def give_up(self, vouched: Vouched) -> None:
        """Note that the unit has given up the epoch of a message."""
        inbox = self.inboxes.of(vouched.lane)
        if self.is_full:
            return
        with self._station.store.step():
            is_new = not any(vouched.s in numbers for numbers in inbox.sets.values())
            if vouched.s not in inbox.sets[Known.UNREADABLE]:
                self.inboxes.add(vouched.lane, Known.UNREADABLE, (vouched.s, vouched.s))
            if is_new:
                self._tell(self.inboxes.lose(vouched.lane, (vouched.s, vouched.s), Why.EPOCH))
            self._deliver(vouched.lane)

    @property
    def is_full(self) -> bool:
        """Whether so much has arrived that nothing more is taken, or named as lost, until a program takes some of it.

        Packets are taken all the same, because time and generations must go on; their messages are asked for later.
        """
        return self.arrivals.size >= self._station.limits.arrived_bytes

    def taken_early(self, lane: int, s: int) -> None:
        """Note that the program has a message that waits, or waited, for earlier ones."""
        with self._station.store.step():
            self.arrivals.taken_early(self.inboxes, lane, s)

    def forget_claims(self) -> None:
        """Forget what senders said, within a step: lanes were revoked, and may have said it."""
        self.inboxes.forget_claims()
        self.vouchers.forget()

    def generation_changed(self) -> None:
        """Hand over and name as lost what follows from the generations that the unit holds now."""
        self.inboxes.changed()
        self._deliver_all()

    def tick(self) -> None:
        """Ask senders for what is missing: z ticks after that shows, then at doubling pauses until some of it comes.

        Then again z ticks after the last ask: on a line that loses much, asks would thin out although the sender
        answers.
        """
        self._look_for_room()
        if not self._was_full:
            for lane, inbox in self.inboxes:
                self._ask_for(lane, inbox)

    def _look_for_room(self) -> None:
        is_full = self.is_full
        if is_full != self._was_full:
            self._was_full = is_full
            self._station.tell(Room(not is_full))
            self._deliver_all()  # what there had been no room for

    def _deliver_all(self) -> None:
        with self._station.store.step():
            for lane, _ in self.inboxes:
                self._deliver(lane)

    def _take_message(self, opened: Opened, message: Message, vouched: Vouched | None) -> None:
        lane = opened.lane
        if vouched and vouched != (lane, message.s):
            raise BadPacket
        inbox = self.inboxes.of(lane)
        if message.s in inbox.sets[Known.DELIVERED] or message.s in inbox.waiting:
            return
        with self._station.store.step():
            if self.is_full:
                self.inboxes.see(lane, message.s)
                return
            self.inboxes.wait(lane, message)
            self._station.checking.keep(lane, message.s, opened.check)
            self._deliver(lane)
            self.inboxes.trim(lane, self._station.limits.waiting, self._station.limits.waiting_bytes)

    def _take_report(self, lane: int, report: Report) -> None:
        with self._station.store.step():
            self.inboxes.take_report(lane, report)
            self._deliver(lane)

    def _deliver(self, lane: int) -> None:
        """Hand over what is in order, and name what is lost on the way."""
        if self.is_full:
            return
        inbox, held = self.inboxes.of(lane), self._station.held
        missing = inbox.missing(held)
        ready = sorted(s for s in inbox.waiting if not missing or s < missing.first)
        for s in ready:
            self._lose(lane, inbox, s - 1)
            self._tell(self.inboxes.deliver(lane, s))
        self._lose(lane, inbox, inbox.reported)

    def _lose(self, lane: int, inbox: Inbox, up_to: int) -> None:
        for span in inbox.passed(up_to, self._station.held):
            for part, why in inbox.reasons(span):
                self._tell(self.inboxes.lose(lane, part, why))

    def _tell(self, event: Delivered | Lost) -> None:
        self.arrivals.add(event)
        self._station.tell(event)

    def _ask_for(self, lane: int, inbox: Inbox) -> None:
        station, limits = self._station, self._station.limits
        missing = inbox.missing(station.held)
        if not missing:
            self._asked.pop(lane, None)
            return
        known = self._asked.get(lane) or Asked(station.now, station.slot(), ())
        if any(s not in missing for s in known.numbers):  # the sender answers: asking pays off
            known = Asked(known.since, station.slot(), ())
        if station.now - known.since >= known.pause:
            pause = min(2 * known.pause, limits.ask_pause) if known.numbers else limits.first_ask
            known = Asked(station.now, pause, tuple(missing.numbers(MOST_ASKED)))
            station.say(Ask(lane, known.numbers))
        self._asked[lane] = known
