# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a member of a network needs for each message and each second. It stays loaded for a session."""

from ndks_protocol import errors, fields, wire
from ndks_protocol.capsule import Header
from ndks_protocol.control.limits import AHEAD, BEACON, LAST_TERM, LONGEST_TICK, MOVE_PAUSE, SILENCE
from ndks_protocol.control.rows import CONTROL_ROW, TICK_ROW
from ndks_protocol.kdf import wipe

from .. import on_demand
from ..flash.records import GENERATION, PAST
from ..member import OpenMember
from . import number_at
from .layout import AT_LOW, AT_MODE, AT_NUMBER, AT_PAST_REVOKED, AT_REVOKED, PAST_SIZE

try:
    from typing import TYPE_CHECKING, Any

    if TYPE_CHECKING:
        from ..state import State
except ImportError:  # not on the board, where annotations are not evaluated
    pass


class Network:
    """Epoch and role of an open unit. What it keeps outside flash ends with the session."""

    def __init__(self, state: "State"):
        self.state = state
        self.hinted: tuple[int, bytes] = (0, b"")  # a generation, and the member key that was computed for it
        self.waiting = 0  # a number that was heard, and is moved to later
        self.since_move = MOVE_PAUSE  # ticks
        self.term: int = 0  # of the master
        self.master: int = 0  # its lane
        self.last = 0  # its last message number
        self.due = False
        self.listen()
        # In place of the record of a generation: the only one of a network without administrators.
        self.only = bytearray(0)
        if isinstance(state.opened, OpenMember):
            self.only = self.epochs().only_generation(state)

    def wipe(self) -> None:
        """Overwrite the keys that only this object has."""
        wipe(self.only)
        self.only = bytearray(0)
        self.hinted = (0, b"")

    @property
    def body(self) -> "bytes | bytearray":
        """The body of the record GENERATION, b"" before the first notice."""
        return self.state.log.body(GENERATION) or self.only

    @property
    def lane(self) -> int:
        """The unit's own lane."""
        return self.state.opened.lane if self.state.opened else wire.COMMON_LANE

    def past(self) -> "list[memoryview]":
        """Return the past generations, the latest first. One that is not below the present was never left."""
        entries, body = memoryview(self.state.log.body(PAST) or b""), self.body
        found = [entries[start : start + PAST_SIZE] for start in range(0, len(entries), PAST_SIZE)]
        return [each for each in found if body and number_at(each, 0) < number_at(body, 0)]

    def feed(self) -> None:
        """Feed the watchdog during the steps of a ratchet, which may take a minute. UnitError(TAMPERED) ends them."""
        board = self.state.board
        board.feed_watchdog()
        if board.case_open:
            raise errors.UnitError(errors.TAMPERED)

    # Modules for one task

    def epochs(self) -> "Any":
        """Return the module for keys of epochs, and for changes of them."""
        return on_demand.load("ndks_protocol.control.ladder", "ndks_unit.network.epochs")[1]

    def interrupted(self) -> "Any":
        """Return the module for what a power cut has left."""
        parts = ("ndks_protocol.control.ladder", "ndks_unit.network.epochs", "ndks_unit.network.interrupted")
        return on_demand.load(*parts)[2]

    def seldom(self) -> "Any":
        """Return the module for what is late, and for rare commands."""
        return on_demand.load("ndks_protocol.control.rows", "ndks_unit.network.seldom")[1]

    def beacons(self) -> "Any":
        """Return the module for beacons."""
        parts = ("ndks_protocol.control.capsules", "ndks_protocol.control.beacon", "ndks_unit.network.beacons")
        return on_demand.load(*parts)[2]

    # Messages

    def find(self, masked: bytes, flags: int, kinds: tuple[int, ...]) -> "tuple[Header, Any]":
        """Return the header of a capsule and its generation, a body or a past one. UnitError in PROTOCOL.md's order."""
        member = self.state.member
        try:
            header = member.header_keys.unmask(masked)
        except errors.UnitError as error:
            if error.code != errors.HEADER:
                raise
            return self.seldom().find_late(self, masked, flags, kinds)
        header.check(member.suite, member.lane)
        number, body = header.epoch, self.body
        if self.revokes(header.lane):
            raise errors.UnitError(errors.REVOKED)
        if header.kind not in kinds:
            raise errors.UnitError(errors.KIND)
        if header.kind != wire.OF_CONTROL and number != number_at(body, AT_NUMBER):
            self.check_epoch(number, body, flags)
        return header, body

    def check_epoch(self, number: int, place: "bytes | bytearray | memoryview", flags: int) -> None:
        """Check that messages of an epoch may be opened. UnitError TOO_OLD, TOO_FAR, CUT."""
        if number < number_at(place, AT_LOW):
            raise errors.UnitError(errors.TOO_OLD)
        if flags & wire.VOUCHED:
            return
        if number > number_at(place, AT_NUMBER) + AHEAD:
            raise errors.UnitError(errors.TOO_FAR)
        if self.is_cut(place):
            raise errors.UnitError(errors.CUT)

    def is_cut(self, place: "bytes | bytearray | memoryview") -> bool:
        """Return whether this is a past generation since which a lane has been revoked."""
        return len(place) == PAST_SIZE and place[AT_PAST_REVOKED] < self.body[AT_REVOKED]

    def revokes(self, lane: int) -> bool:
        """Return whether a lane was revoked."""
        body = self.body
        return any([number_at(body, offset) == lane for offset in range(AT_REVOKED + 1, len(body), 2)])

    def member_of(self, place: "bytes | bytearray | memoryview", number: int) -> OpenMember:
        """Return the keys of an epoch of a generation."""
        member = self.state.member
        position = number_at(place, 0) << 16 | number
        if position == member.position:
            return member
        other = self.state.other
        return other if other and other.position == position else self.epochs().use_epoch(self, place, number)

    def opened(self, position: int) -> None:
        """Hear the epoch of a message, which its first chunk has proved."""
        if position != self.state.member.position and position >> 16 == number_at(self.body, 0):
            self.hear(position & 0xFFFF)
            self.move_on()

    def hear(self, number: int) -> None:
        """Keep a number that is higher than the unit's own."""
        if number > number_at(self.body, AT_NUMBER):
            self.waiting = max(self.waiting, number)

    def move_on(self) -> bool:
        """Move to a number that was heard, if it is time; return whether it was.

        If the unit cannot write, there will be another occasion.
        """
        if self.waiting <= number_at(self.body, AT_NUMBER) or self.since_move < MOVE_PAUSE:
            return False
        try:
            self.epochs().move(self, self.waiting)
        except errors.UnitError as error:
            if error.code != errors.STORAGE:
                raise
            return False
        return True

    # Roles

    def listen(self, patience: int = -1) -> None:
        """Wait for a master, by default for a time that only a few units choose short, however many there are."""
        self.silence = 0
        if patience < 0:
            drawn = self.state.board.entropy(2)
            patience = SILENCE + max(1, bits_of(drawn[0] << 8 | drawn[1]))
        self.patience = patience

    @property
    def is_master(self) -> bool:
        """Whether this unit leads."""
        return self.master == self.lane

    def lead(self) -> None:
        """Become master."""
        self.term = min(self.term + 1, LAST_TERM)
        self.master = self.lane
        self.last = 0
        self.due = True

    def seals(self, kind: int) -> None:
        """In mode relay, whoever sends a message leads."""
        is_relay = self.body and self.body[AT_MODE] == wire.RELAY
        if is_relay and kind in (wire.DATA, wire.MESSAGE) and not self.is_master:
            self.lead()

    def tick(self, ticks: int) -> "tuple[Any, ...]":
        """Let time pass; return the answer to TICK."""
        ticks = min(ticks, LONGEST_TICK)
        self.since_move = min(self.since_move + ticks, MOVE_PAUSE)
        self.move_on()
        role, capsule = wire.MONITOR, b""
        if self.body[AT_MODE] != wire.MONITOR:
            self.silence += ticks
            if not self.is_master and self.silence >= self.patience:
                self.lead()
            if self.is_master and (self.due or self.silence >= BEACON):
                capsule = self.beacons().seal(self)
                self.due = False
                self.silence = 0
            role = wire.MASTER if self.is_master else wire.SLAVE
        return role, self.state.member.epoch, self.body[AT_REVOKED], self.term, self.master, capsule

    # Commands

    def serve(self, code: int, payload: "bytes | memoryview", view: memoryview) -> int:
        """Write the payload of the answer to a command of networks, and return its size."""
        if code not in (wire.TICK, wire.CONTROL):
            return self.seldom().serve(self, code, payload, view)
        request, answer = TICK_ROW if code == wire.TICK else CONTROL_ROW
        try:
            (value,) = fields.unpack(request, payload)
        except ValueError:
            raise errors.UnitError(errors.BAD_REQUEST) from None
        _ = self.state.member  # NO_EPOCH
        result = self.tick(value) if code == wire.TICK else (self.beacons().hear(self, value),)
        return fields.pack_into(view, answer, result)


def bits_of(number: int) -> int:
    """Return the number of bits; the board has no `int.bit_length`."""
    bits = 0
    while number >> bits:
        bits += 1
    return bits
