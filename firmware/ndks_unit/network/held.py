# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A member in its network during a session: which capsules it opens, and whether it leads."""

from ndks_protocol import errors, wire
from ndks_protocol.capsule import Header, HeaderKeys
from ndks_protocol.control.limits import (
    AHEAD,
    BEACON,
    LAST_NUMBER,
    LAST_TERM,
    LONGEST_TICK,
    MOVE_PAUSE,
    NO_GENERATION,
    PAST,
    SILENCE,
)
from ndks_protocol.control.rows import ROWS
from ndks_protocol.fields import pack_into, unpack
from ndks_protocol.kdf import wipe
from ndks_protocol.network_id import generation_id

from .. import on_demand
from ..flash import records
from ..member import OpenMember
from . import (
    AT_CONTROL_KEY,
    AT_LOW,
    AT_MODE,
    AT_NUMBER,
    AT_PAST_HEADER_KEYS,
    AT_PAST_REVOKED,
    AT_PAST_SECRET,
    AT_REVOKED,
    KEY,
    PAST_SIZE,
    number_at,
)

try:
    from typing import TYPE_CHECKING, Any

    if TYPE_CHECKING:
        from ..state import State
except ImportError:  # not on the board, where annotations are not evaluated
    pass

# Modules for one task
_EPOCHS = ("ndks_protocol.control.ladder", "ndks_unit.network.epochs")
_BEACONS = ("ndks_protocol.control.capsules", "ndks_protocol.control.beacon", "ndks_unit.network.beacons")
_ENTERING = (
    ("ndks_protocol.control.capsules", "ndks_protocol.control.notice") + _EPOCHS + ("ndks_unit.network.entering",)
)


class Network:
    """Generations, epoch and role of an open unit. What it keeps beside flash goes with the session."""

    def __init__(self, state: "State"):
        self.state = state
        self.hinted: tuple[int, bytes] = (0, b"")  # a generation, and the member key that was computed for it
        self.waiting = 0  # a number that was heard, and is moved to later
        self.since_move = MOVE_PAUSE  # ticks
        self.reset()
        # In place of the record of a generation: the only one of a network without administrators.
        self._only = bytearray(0)
        if isinstance(state.opened, OpenMember):
            self._only = self.epochs().only_generation(state)

    def wipe(self) -> None:
        """Overwrite the keys that only this object has."""
        wipe(self._only)
        self.hinted = (0, b"")

    def forget_only(self) -> None:
        """Forget what stood for the record of the generation, which is written now."""
        wipe(self._only)
        self._only = bytearray(0)

    def reset(self, patience: int = -1) -> None:
        """Begin in a generation or session, as no master's slave."""
        self.term: int = 0  # of the master
        self.master: int = 0  # its lane
        self.last = 0  # its last message number
        self.due = False
        self.listen(patience)

    @property
    def body(self) -> "bytes | bytearray":
        """The body of the record GENERATION, b"" before the first notice."""
        return self.state.log.body(records.GENERATION) or self._only

    @property
    def lane(self) -> int:
        """The own lane."""
        return self.state.opened.lane if self.state.opened else wire.COMMON_LANE

    def past(self) -> "list[memoryview]":
        """Return the past generations, the latest first. One that is not below the present was never left."""
        entries = memoryview(self.state.log.body(records.PAST) or b"")
        found = [entries[start : start + PAST_SIZE] for start in range(0, len(entries), PAST_SIZE)]
        return [each for each in found if self.body and number_at(each, 0) < number_at(self.body, 0)]

    def generations(self) -> tuple[bytes, bytes]:
        """Return the id of the present generation, and the numbers of all that are held."""
        held = [number_at(each, 0) for each in ([self.body] if self.body else []) + self.past()]
        held += [NO_GENERATION] * (1 + PAST - len(held))
        control_key = self.body[AT_CONTROL_KEY : AT_CONTROL_KEY + KEY]
        identity = generation_id(self.state.board, control_key) if control_key else bytes(8)
        return identity, b"".join([bytes((each >> 8, each & 0xFF)) for each in held])

    def revokes(self, lane: int) -> bool:
        """Return whether a lane was revoked."""
        lanes = range(AT_REVOKED + 1, len(self.body), 2)
        return any([number_at(self.body, offset) == lane for offset in lanes])

    # Opening

    def find(self, masked: bytes, flags: int, kinds: tuple[int, ...]) -> "tuple[Header, Any]":
        """Return the header of a capsule and its generation, a body or a past one. UnitError as PROTOCOL.md orders."""
        member, place, is_past = self.state.member, self.body, False
        try:
            header = member.header_keys.unmask(masked)
        except errors.UnitError as error:
            if error.code != errors.HEADER:
                raise
            header, place = self._in_past(masked)
            is_past = True
        header.check(member.suite, member.lane)
        refusal = self._refusal_of_sender(header, is_past) or (errors.KIND if header.kind not in kinds else 0)
        if header.kind != wire.OF_CONTROL:
            refusal = refusal or self._refusal_of_epoch(header.epoch, place, flags & wire.VOUCHED)
        if refusal:
            raise errors.UnitError(refusal)
        return header, place

    def _refusal_of_sender(self, header: Header, is_past: bool) -> int:
        if self.revokes(header.lane):
            return errors.REVOKED
        return errors.STALE if is_past and header.kind == wire.OF_CONTROL else 0

    def _refusal_of_epoch(self, epoch: int, place: "bytes | bytearray | memoryview", vouched: int) -> int:
        if epoch < number_at(place, AT_LOW):
            return errors.TOO_OLD
        if vouched:
            return 0
        if epoch > number_at(place, AT_NUMBER) + AHEAD:
            return errors.TOO_FAR
        return errors.CUT if self._is_cut(place) else 0

    def _in_past(self, masked: bytes) -> "tuple[Header, Any]":
        for place in self.past():
            keys = HeaderKeys(self.state.board, place[AT_PAST_HEADER_KEYS:AT_PAST_SECRET])
            try:
                return keys.unmask(masked), place
            except errors.UnitError:
                pass
            finally:
                keys.wipe()
        raise errors.UnitError(errors.HEADER)

    def _is_cut(self, place: "bytes | bytearray | memoryview") -> bool:
        """Return whether this is a past generation, since which a lane has been revoked."""
        return len(place) == PAST_SIZE and place[AT_PAST_REVOKED] < self.body[AT_REVOKED]

    def member_of(self, place: "bytes | bytearray | memoryview", number: int) -> OpenMember:
        """Return the keys of an epoch of a generation, and keep them until those of another one are used."""
        member, other = self.state.member, self.state.other
        epoch = number_at(place, 0) << 16 | number
        if epoch == member.epoch or (not self.state.log.body(records.GENERATION) and not number):
            return member
        if not other or other.epoch != epoch:
            self.state.use(None)
            other = self.epochs().open_epoch(self, place, number)
            self.state.use(other)
        return other

    def kept(self, epoch: int) -> OpenMember:
        """Return the keys of an epoch for exported keys. UnitError EPOCH, CUT."""
        for place in [self.body] + self.past():
            number = epoch & 0xFFFF
            if number_at(place, 0) == epoch >> 16 and number_at(place, AT_LOW) <= number <= number_at(place, AT_NUMBER):
                if self._is_cut(place):
                    raise errors.UnitError(errors.CUT)
                return self.member_of(place, number)
        raise errors.UnitError(errors.EPOCH)

    # Epochs

    def open(self) -> None:
        """Open the unit in its present epoch, or as one that waits for its first notice."""
        self.epochs().open_present(self)

    def complete(self) -> None:
        """Complete what a power cut has interrupted. UnitError(STORAGE)."""
        self.epochs().complete(self)

    def epochs(self) -> "Any":
        """Return the module for epochs, for one task."""
        return on_demand.load(*_EPOCHS)[-1]

    def opened(self, epoch: int) -> None:
        """Hear the number of an epoch of which a message was opened, which its first chunk has proved."""
        if epoch != self.state.member.epoch and epoch >> 16 == number_at(self.body, 0):
            self._hear(epoch & 0xFFFF)
            self._go_on()

    def _hear(self, number: int) -> None:
        if number > number_at(self.body, AT_NUMBER):
            self.waiting = max(self.waiting, number)

    def _go_on(self) -> None:
        """Move to the number that was heard, and give up if the unit cannot write: there will be another occasion."""
        try:
            self._move_on()
        except errors.UnitError as error:
            if error.code != errors.STORAGE:
                raise

    def _move_on(self) -> bool:
        """Move to the number that was heard if it is time; return whether it was."""
        if self.waiting <= number_at(self.body, AT_NUMBER) or self.since_move < MOVE_PAUSE:
            return False
        self._move(self.waiting)
        return True

    def _move(self, number: int) -> None:
        self.epochs().move(self, number)
        self.since_move = 0

    # Roles

    def listen(self, patience: int = -1) -> None:
        """Wait for a master, by default for a time that few units choose short, whatever their count."""
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
        if self.body and self.body[AT_MODE] == wire.RELAY and kind in (wire.DATA, wire.MESSAGE) and not self.is_master:
            self.lead()

    def rank(self, lane: int, number: int, term: int, epoch: int) -> bool:
        """Take the beacon `number` of a lane; return whether its rank is below that of the master."""
        mine, its = (self.term, self.master), (term, lane)
        if its < mine:
            self.due = self.due or self.is_master
            return True
        is_fresh = number > self.last or lane != self.master
        if its > mine:
            self.term, self.master, self.last, self.due = term, lane, 0, False
            self.listen()
        if is_fresh and epoch >= number_at(self.body, AT_NUMBER):
            self.last = number
            self.listen()
        return False

    # Commands

    def serve(self, code: int, payload: "bytes | memoryview", view: memoryview) -> int:
        """Write the payload of the answer to a command of networks, and return its size."""
        request, answer = ROWS[code]
        try:
            values = unpack(request, payload)
        except ValueError:
            raise errors.UnitError(errors.BAD_REQUEST) from None
        if code == wire.NOTICE:
            result = (self._entering().notice(self, *values),)
        elif code == wire.HINT:
            result = (self._entering().hint(self, *values),)
        else:
            _ = self.state.member  # NO_EPOCH
            result = self._serve_member(code, values)
        return pack_into(view, answer, result)

    def _entering(self) -> "Any":
        return on_demand.load(*_ENTERING)[-1]

    def _serve_member(self, code: int, values: "tuple[Any, ...]") -> "tuple[Any, ...]":
        if code == wire.TICK:
            return self.tick(*values)
        if code == wire.CONTROL:
            return (self.control(*values),)
        if code == wire.RENEW:
            return (self.renew(),)
        self.set_mode(*values)
        return ()

    def tick(self, ticks: int) -> "tuple[Any, ...]":
        """Let time pass; return the answer to TICK."""
        ticks = min(ticks, LONGEST_TICK)
        self.since_move = min(self.since_move + ticks, MOVE_PAUSE)
        self._go_on()
        role, capsule = wire.MONITOR, b""
        if self.body[AT_MODE] != wire.MONITOR:
            self.silence += ticks
            if not self.is_master and self.silence >= self.patience:
                self.lead()
            if self.is_master and (self.due or self.silence >= BEACON):
                capsule = self._beacons().seal(self)
                self.due = False
                self.silence = 0
            role = wire.MASTER if self.is_master else wire.SLAVE
        return role, self.state.member.epoch, self.body[AT_REVOKED], self.term, self.master, capsule

    def _beacons(self) -> "Any":
        return on_demand.load(*_BEACONS)[-1]

    def control(self, capsule: "bytes | memoryview") -> int:
        """Take a beacon of another unit; return the event."""
        lane, number, epoch, term = self._beacons().opened(self, capsule)
        self._hear(epoch)
        moved = self._move_on()
        is_lower = self.rank(lane, number, term, epoch)
        return wire.MOVED if moved else wire.LOWER_RANK if is_lower else wire.HEARD

    def renew(self) -> int:
        """Begin the next epoch, as master."""
        number = number_at(self.body, AT_NUMBER)
        if self.body[AT_MODE] == wire.MONITOR or number == LAST_NUMBER:
            raise errors.UnitError(errors.RANGE)
        if self.since_move < MOVE_PAUSE:
            raise errors.UnitError(errors.DELAYED)
        self._move(number + 1)
        if self.is_master:
            self.due = True
        else:
            self.lead()
        return self.state.member.epoch

    def set_mode(self, mode: int) -> None:
        """Set the mode, in flash too."""
        if mode > wire.MONITOR:
            raise errors.UnitError(errors.RANGE)
        if mode != self.body[AT_MODE]:
            self.epochs().set_mode(self, mode)
        if mode == wire.MONITOR and self.is_master:
            self.master = self.last = 0
            self.due = False
            self.listen()


def bits_of(number: int) -> int:
    """Return the number of bits; the board has no `int.bit_length`."""
    bits = 0
    while number >> bits:
        bits += 1
    return bits
