# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The agent: a state machine between a channel, a unit and a program. Packets and ticks in, packets and events out."""

from collections.abc import Callable
from hashlib import sha256
from random import Random

from ndks_protocol import errors
from ndks_protocol.capsule import CHECK_SIZE, SYNC_SIZE, TAG_SIZE
from ndks_protocol.control.limits import BEACON_SIZE
from ndks_protocol.wire import LOWER_RANK, MASTER, WIRE_HEADER_SIZE

from ..exceptions import DeviceError, UsageError
from ..network.bundle import ASK, BUNDLE, BadBundle, parse_ask
from .arrivals import Arrivals
from .events import Heard, Master, Output
from .generations import Generations
from .inbox import Inbox
from .limits import Limits
from .outbox import Outbox
from .packets import BadPacket, digest_of
from .pieces import PIECE, Assembly
from .receiving import Receiving
from .sending import Sending
from .spans import Spans
from .station import Station
from .store import Store
from .unit import Opened, Ticked, Unit
from .vouchers import Vouched

_CAPSULE = 1
_SMALLEST = WIRE_HEADER_SIZE + SYNC_SIZE + CHECK_SIZE + TAG_SIZE
_LONGER = 64  # a capsule is longer than its message by less than a 64th of it plus 64 bytes, besides _SMALLEST
_REVOKED, _LANE, _NETWORK = "revoked lanes", "lane", "network"
# What units say of capsules that are damaged, repeated, too late, or not for them; all other errors end a step.
_REFUSED = {
    *(errors.CAPSULE_VERSION, errors.HEADER, errors.SUITE, errors.KIND, errors.REFLECTED, errors.AUTH),
    *(errors.DUPLICATE, errors.TOO_OLD, errors.TOO_FAR, errors.SENDERS, errors.DIVERGED, errors.BINDING),
    *(errors.STALE, errors.CUT, errors.REVOKED, errors.RANGE, errors.NO_EPOCH, errors.CONFLICT),
}


class Agent:
    """The agent of a unit with an open session. UsageError: the store belongs to another member.

    `public` is the administrators' key: only their bundles count. Randomness spreads hosts in time, and is not a
    secret. `may_seal` tells before each message whether it is sealed now; those that are not wait in the store. After
    an error of the unit, `reopen` it; after one of the store, make a new Agent. Neither loses anything.
    """

    def __init__(
        self,
        unit: Unit,
        store: Store,
        random: Random,
        limits: Limits | None = None,
        *,
        public: bytes = b"",
        may_seal: Callable[[], bool] = lambda: True,
    ) -> None:
        self._station = Station(unit, store, random, limits or Limits(), may_seal)
        self._master = 0
        self._has_beacon = False  # of a master that the unit follows, since the last tick
        self._check_owner(public)
        self._sending = Sending(self._station)
        self._receiving = Receiving(self._station)
        self._generations = Generations(self._station, public)
        self._assembly = Assembly(self._station.limits.assembled)
        self._resume()

    @property
    def arrivals(self) -> Arrivals:
        """The messages and losses that the program has not taken yet."""
        return self._receiving.arrivals

    @property
    def epoch(self) -> int | None:
        """The unit's epoch after the last step; None: it has no generation yet."""
        return self._station.epoch

    @property
    def left_out(self) -> int | None:
        """The newest generation that was made without this unit, and is later than its own; None: there is none."""
        return self._generations.left_out

    @property
    def held(self) -> frozenset[int]:
        """The generations whose capsules the unit opens."""
        return self._station.held

    @property
    def ticked(self) -> Ticked:
        """What the unit answered to the last tick."""
        return self._station.ticked

    @property
    def outbox(self) -> Outbox:
        """This unit's own messages that are kept."""
        return self._sending.outbox

    def inbox(self, lane: int) -> Inbox:
        """What is known about a sender."""
        return self._receiving.inboxes.of(lane)

    def missing(self, lane: int) -> Spans:
        """The messages of a sender that can still come."""
        return self.inbox(lane).missing(self._station.held)

    def reopen(self, unit: Unit) -> Output:
        """Go on with a new session of the unit, or with another view of it."""
        self._station.unit = unit
        self._resume()
        return self._done()

    def restored(self) -> Output:
        """Begin with new numbers: the store was restored from a copy, and messages were sent since."""
        self._sending.begin()
        return self._done()

    def send(self, data: bytes, content: int = 0) -> Output:
        """Send a message to all members. UsageError: it is too long, or there is no such kind of content."""
        self._sending.send(content, data)
        return self._done()

    def taken_early(self, lane: int, s: int) -> Output:
        """Note that the program has a message that `arrivals.early` gave it before those that it waits for."""
        self._receiving.taken_early(lane, s)
        return self._done()

    def renew(self) -> Output:
        """Begin the next epoch, for all. DeviceError RANGE, DELAYED."""
        self._station.unit.renew()
        self._tick_unit(0)
        return self._done()

    def receive(self, packet: bytes) -> Output:
        """Take a packet from the channel, whatever it is."""
        first = packet[0] if packet else 0
        if first == PIECE:
            packet = self._assembly.add(packet)
            first = packet[0] if packet else 0
        if first == _CAPSULE and _SMALLEST <= len(packet) <= self._largest:
            self._take_capsule(packet)
        elif first == BUNDLE:
            self._take_bundle(packet)
        elif first == ASK:
            self._take_ask(packet)
        return self._done()

    def tick(self, ticks: int, *, retained: bool = False) -> Output:
        """Let time pass; more than 16 ticks at once count as 16, because a host that was asleep has not really waited.

        `retained` tells whether the channel gives bundles to those who come later: then they need not be repeated.
        """
        station = self._station
        ticks = min(ticks, station.limits.longest_tick)
        station.now += ticks
        if self._generations.enter():
            self._after_entry()
        self._tick_unit(ticks)
        self._hear_master()
        self._sending.seal_waiting()
        self._generations.tick(retained=retained)
        self._sending.tick()
        self._receiving.tick()
        return self._done()

    @property
    def _largest(self) -> int:
        """The largest capsule that may be a message: others in the network, such as files, take a unit hours."""
        message = self._station.limits.message
        return _SMALLEST + _LONGER + message + message // _LONGER

    def _check_owner(self, public: bytes) -> None:
        """Bind a new store to its member: a unit that was erased and joined again is another one."""
        store, lane, network = self._station.store, self._station.unit.lane, int.from_bytes(sha256(public).digest()[:6])
        if store.fact(_LANE) is None:
            with store.step():
                store.note(_LANE, lane)
                store.note(_NETWORK, network)
        if (store.fact(_LANE), store.fact(_NETWORK)) != (lane, network):
            what = f"the store is that of lane {store.fact(_LANE)}, or of another network, and the unit has lane {lane}"
            raise UsageError(what, "use a new store: messages of the former member stay in the old one")

    def _resume(self) -> None:
        """Compare the store with the unit, which may have changed without it."""
        before = self._station.g
        self._station.look()
        self._tick_unit(0)
        self._generations.resume()
        self._receiving.generation_changed()
        if self._station.g != before:
            self._sending.report_new_generation()

    def _tick_unit(self, ticks: int) -> None:
        """Tell the unit the time, publish its beacon, and forget claims if its list of revoked lanes has changed."""
        station, store = self._station, self._station.store
        if station.epoch is None:
            return
        station.ticked = ticked = station.unit.tick(ticks)
        station.epoch = ticked.epoch
        if ticked.beacon:
            station.publish(ticked.beacon, passing=True)
        if ticked.revoked != (store.fact(_REVOKED) or 0):
            with store.step():
                self._receiving.forget_claims()
                store.note(_REVOKED, ticked.revoked)
        if ticked.master != self._master:
            self._master = ticked.master
            station.tell(Master(ticked.master))

    def _hear_master(self) -> None:
        """Report that the master was heard: only the unit's answer to TICK says who that is."""
        station = self._station
        if self._has_beacon and station.epoch is not None and station.ticked.role != MASTER:
            station.output.heard = Heard(station.ticked.master, station.epoch, None)
        self._has_beacon = False

    def _after_entry(self) -> None:
        self._station.look()
        self._tick_unit(0)
        self._receiving.generation_changed()
        self._sending.report_new_generation()
        self._sending.seal_waiting()

    def _take_bundle(self, packet: bytes) -> None:
        try:
            entered = self._generations.take(packet)
        except BadBundle:
            return
        if entered:
            self._after_entry()

    def _take_ask(self, packet: bytes) -> None:
        try:
            self._generations.answer(parse_ask(packet))
        except BadBundle:
            return

    def _take_capsule(self, capsule: bytes) -> None:
        vouched = self._receiving.vouchers.of(digest_of(capsule))
        try:
            opened = self._open(capsule, vouched)
        except DeviceError as error:
            if error.number not in _REFUSED:
                raise
            self._after_refusal(error.number, vouched)
            return
        if opened is None:
            return
        self._station.output.heard = Heard(opened.lane, opened.epoch, opened.number)
        try:
            ask = self._receiving.take(opened, vouched)
        except BadPacket:
            return
        if ask:
            self._sending.send_again(ask)

    def _open(self, capsule: bytes, vouched: Vouched | None) -> Opened | None:
        """Open a capsule; None: it was a beacon. A host cannot tell, except by the size."""
        if len(capsule) == BEACON_SIZE:
            try:
                self._has_beacon |= self._station.unit.control(capsule) != LOWER_RANK
            except DeviceError as error:
                if error.number != errors.KIND:
                    raise
            else:
                return None
        return self._station.unit.open(capsule, vouched=vouched is not None)

    def _after_refusal(self, error: int, vouched: Vouched | None) -> None:
        if error == errors.STALE:
            self._generations.answer(-1)  # its sender lags behind
        elif vouched and error == errors.TOO_OLD:
            self._receiving.give_up(vouched)
        elif error in (errors.HEADER, errors.NO_EPOCH) and not vouched:
            self._generations.fell_behind()

    def _done(self) -> Output:
        output, self._station.output = self._station.output, Output()
        return output
