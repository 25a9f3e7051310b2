# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit of the product: its state and handlers on emulated flash, unlocked, without frames and sessions."""

import struct
from random import Random
from typing import Any

from ndks.driver.capsules import Sealed
from ndks.driver.network_verbs import Opened, Ticked
from ndks.exceptions import DeviceError, device_error
from ndks_emulator.board import EmulatedBoard
from ndks_emulator.flash import MemoryFlash
from ndks_emulator.lines import MemoryLine
from ndks_protocol import commands, errors, wire
from ndks_protocol.binding import BindingKeys
from ndks_protocol.control.notice import lanes_in
from ndks_protocol.fields import pack, unpack
from ndks_unit import access, network
from ndks_unit.dispatcher import Dispatcher
from ndks_unit.flash import erasure, records
from ndks_unit.flash.records import RecordKeys
from ndks_unit.network import beacons, entering, epochs, held, layout, number_at, seldom
from ndks_unit.on_demand import provision
from ndks_unit.state import State

from ..model.capsules import Head, derive
from ..model.epochs import Member
from ..world.interface import Haul, Kept, View
from .capsules import KINDS, Capsules
from .quick_bits import QuickGenerator

MODES = ("elected", "relay", "monitor")
ANY_NUMBER = wire.AGAIN | wire.ALLOW_JUMP
STAY_LOADED = (beacons, entering, epochs, held, seldom)  # a board loads them for each task, from its drive
_HEADER = wire.WIRE_HEADER_SIZE
_WIRE_CHUNK = 1024 + 16


class Board(EmulatedBoard):
    """A board whose random bytes come from the world's seed; `drawn` has those of roles."""

    def __init__(self, flash: MemoryFlash, random: Random) -> None:
        super().__init__(flash, MemoryLine(), QuickGenerator)
        self._random = random
        self.drawn: list[int] = []

    def entropy(self, size: int) -> bytes:
        drawn = self._random.randbytes(size)
        if size == 2:
            self.drawn.append(int.from_bytes(drawn))
        return drawn


class UnitDevice:
    """The verbs of a unit as an agent has them, and what can happen to the unit."""

    def __init__(self, member: Member, enrolment: tuple[Any, ...], capsules: Capsules, watch: Any, random: Random):
        self.capsules, self._watch, self._random = capsules, watch, random
        self.lane = member.lane
        self.flash = MemoryFlash(member.lane.to_bytes(8))
        self.board = Board(self.flash, random)
        binding = random.randbytes(32)
        self._keys = BindingKeys(self.board, binding)
        self.notices = 0
        self._view = memoryview(bytearray(1 << 13))
        self._dispatcher = Dispatcher(self.board)
        self._enrol(member, binding, enrolment)
        self.start()

    def _enrol(self, member: Member, binding: bytes, enrolment: tuple[Any, ...]) -> None:
        """Do what ENROL does with the fields of a package, or PROVISION in a network of before."""
        if member.secret:
            provision.provision(self.state, binding, 0, self.lane, *enrolment[:3], member.secret, *enrolment[4:])
            return
        record = pack(wire.MEMBERSHIP, 0, self.lane, *enrolment)
        first = struct.pack(">H32sB", member.g, member.key, MODES.index(member.mode))
        provision._enter(self.state, binding, record, first)

    @property
    def state(self) -> State:
        return self._dispatcher.state

    # The verbs

    @property
    def own_number(self) -> int:
        return self.state.message_counter.latest

    @property
    def epoch(self) -> int | None:
        opened = self.state.opened
        return opened.epoch if opened and any(opened.network_id) else None

    def held(self) -> tuple[int, ...]:
        packed = self._call(commands.STATUS)[-1]
        numbers = struct.unpack(f">{len(packed) // 2}H", packed)
        return tuple(g for g in numbers if g != 0xFFFF)

    def tick(self, ticks: int) -> Ticked:
        ticked = Ticked(*self._call(commands.TICK, ticks))
        if ticked.beacon:
            control = bytes(self._body[layout.AT_CONTROL_KEY : layout.AT_CONTROL_KEY + layout.KEY])
            self._see(ticked.beacon, control, "beacon")
        return ticked

    def control(self, capsule: bytes) -> int:
        return self._call(commands.CONTROL, capsule)[0]

    def notice(self, g: int, capsule: bytes) -> int:
        self.notices += 1
        return self._call(commands.NOTICE, g, capsule)[0]

    def hint(self, g: int) -> bytes:
        return self._call(commands.HINT, g)[0]

    def renew(self) -> int:
        return self._call(commands.RENEW)[0]

    def set_role(self, mode: int) -> None:
        self._call(commands.ROLE, mode)

    def seal(self, kind: int, data: bytes) -> Sealed:
        token, random = self._random.randbytes(8), self._random.randbytes(8)
        header, epoch = self._call(commands.SEAL_BEGIN, token, wire.VERNAM, kind, random)
        (chunks,) = self._call(commands.SEAL_CHUNK, token, 0, 1, data)
        capsule = header + chunks
        self._see(capsule, bytes(self.state.member.secret), data)
        return Sealed(capsule, epoch)

    def open(self, capsule: bytes, *, vouched: bool = False) -> Opened:
        return self._open(capsule, ANY_NUMBER | (wire.VOUCHED if vouched else 0))

    def _open(self, capsule: bytes, flags: int) -> Opened:
        handle, lane, number, _, kind, epoch = self._call(commands.OPEN_BEGIN, capsule[:_HEADER], flags)
        starts = range(_HEADER, len(capsule), _WIRE_CHUNK)
        data = b""
        for index, start in enumerate(starts):
            last = int(index == len(starts) - 1)
            (part,) = self._call(commands.OPEN_CHUNK, handle, index, last, capsule[start : start + _WIRE_CHUNK])
            data += part
        return Opened(kind, epoch, lane, number, data)

    def accept(self, capsule: bytes, *, allow_jump: bool = False) -> str:
        """Open and accept by the plain commands; return the name of the refusal, or ""."""
        try:
            self._open(capsule, wire.ALLOW_JUMP if allow_jump else 0)
            self._call(commands.ACCEPT, capsule[:_HEADER], int(allow_jump))
        except DeviceError as error:
            return errors.name_of(error.number)
        return ""

    def _call(self, command: commands.Command, *values: Any) -> Any:
        """Let the firmware's handler answer, without frame and session."""
        try:
            size = self._dispatcher._dispatch(command.code, command.request.pack(*values), self._view)
        except errors.UnitError as error:
            raise device_error(error.code) from None
        return command.answer.unpack(bytes(self._view[:size]))

    def _see(self, capsule: bytes, key: bytes, data: Any) -> Head:
        """Show what was sealed."""
        header = self.state.member.header_keys.unmask(capsule[:_HEADER])
        head = Head(KINDS[header.kind], header.lane, header.number, header.epoch)
        self._watch(self.capsules.see(capsule, self._generation, key, head, data))
        return head

    # What happens to it

    def start(self, minimum: int = 0) -> None:
        """Start with the power on, and unlock; PowerCut may come again."""
        if not self.flash.power.on:
            self.flash.power.restore()
        self._dispatcher = Dispatcher(self.board)
        if self.state.binding:
            access.unlock(self.state, self._keys.kek, minimum, 1)
            network.attached(self.state)  # as any host does that ticks

    def cut_power_in(self, steps: int | None) -> None:
        self.flash.power.steps_left = steps

    def erase(self) -> None:
        self.flash.power.restore()
        self.state.erase(erasure.ON_PURPOSE)

    def image(self) -> MemoryFlash:
        return self.flash.clone()

    def put_back(self, image: MemoryFlash) -> None:
        """Put an old image back; the host knows the highest number that was used."""
        minimum = self.own_number
        self.flash.power.restore()
        self.flash.images = image.images
        self.start(minimum)

    def whole(self) -> list[bytes]:
        return self.flash.images

    def put_whole(self, flash: list[bytes]) -> None:
        self.flash.power.restore()
        self.flash.images = flash

    # For the checks

    @property
    def _body(self) -> "bytes | bytearray":
        return network.attached(self.state).body if self.state.opened else b""

    @property
    def _generation(self) -> bytes:
        return bytes(self._body[layout.AT_HEADER_KEYS : layout.AT_HEADER_KEYS + layout.KEY])

    @property
    def view(self) -> View | None:
        body = self._body
        if not self.state.opened or not body:
            return None
        roles = network.attached(self.state)
        here = Kept(
            number_at(body, 0), self._generation, number_at(body, layout.AT_NUMBER), number_at(body, layout.AT_LOW)
        )
        revoked = frozenset(lanes_in(body[layout.AT_REVOKED + 1 :]))
        past = tuple(entry for entry in map(_past, self._entries()) if entry.g < here.g)
        return View(here, past, revoked, roles.term, roles.master, roles.is_master)

    def _entries(self) -> list[bytes]:
        past = bytes(self.state.log.body(records.PAST) or b"")
        return [past[start : start + layout.PAST_SIZE] for start in range(0, len(past), layout.PAST_SIZE)]

    @property
    def wear(self) -> int:
        """How often nvm was erased."""
        return self.flash.nvm.erases

    def loot(self) -> tuple[list[Haul], list[tuple[int, bytes]]]:
        """Return what all records in flash say, superseded or not."""
        keys = RecordKeys(self.board)
        keys.set_auth(self._keys.auth)
        keys.set_kek(self._keys.kek)
        hauls: list[Haul] = []
        member_keys: list[tuple[int, bytes]] = []
        for image in self.flash.images:
            for start in range(0, len(image) - records.BODY, records.ALIGNMENT):
                kind, size = image[start], number_at(image, start + 1)
                if kind not in (records.MEMBERSHIP, records.GENERATION, records.PAST, records.FIRST_KEY):
                    continue
                body = keys.decode(image[start : start + records.BODY + size])
                if body:
                    _add_loot(kind, bytes(body), hauls, member_keys)
        return hauls, member_keys


def _past(entry: bytes) -> Kept:
    generation = bytes(entry[layout.AT_PAST_HEADER_KEYS : layout.AT_PAST_HEADER_KEYS + layout.KEY])
    return Kept(number_at(entry, 0), generation, number_at(entry, layout.AT_NUMBER), number_at(entry, layout.AT_LOW))


def _add_loot(kind: int, body: bytes, hauls: list[Haul], member_keys: list[tuple[int, bytes]]) -> None:
    if kind == records.MEMBERSHIP:
        secret = unpack(wire.MEMBERSHIP, body)[5]
        if any(secret):  # of a network of before
            hauls.append(Haul(0, derive(secret, "ndks header mac"), (), secret, 0))
    elif kind == records.FIRST_KEY:
        member_keys.append((number_at(body, 0), body[layout.AT_FIRST_KEY : layout.AT_FIRST_KEY + layout.KEY]))
    elif kind == records.GENERATION:
        member_key = body[layout.AT_MEMBER_KEY : layout.AT_MEMBER_KEY + layout.KEY]
        if any(member_key):
            member_keys.append((number_at(body, 0) + 1, member_key))
        keys = body[layout.AT_HEADER_KEYS : layout.AT_CONTROL_KEY], body[layout.AT_CONTROL_KEY :][: layout.KEY]
        for at, number in ((layout.AT_LOW_SECRET, layout.AT_LOW), (layout.AT_SECRET, layout.AT_NUMBER)):
            hauls.append(_haul(body, keys, body[at : at + layout.KEY], number_at(body, number)))
    else:
        for start in range(0, len(body), layout.PAST_SIZE):
            entry = body[start : start + layout.PAST_SIZE]
            keys = entry[layout.AT_PAST_HEADER_KEYS : layout.AT_PAST_SECRET], b""
            secret = entry[layout.AT_PAST_SECRET : layout.AT_PAST_SECRET + layout.KEY]
            hauls.append(_haul(entry, keys, secret, number_at(entry, layout.AT_LOW)))


def _haul(body: bytes, keys: tuple[bytes, bytes], secret: bytes, low: int) -> Haul:
    operators = tuple(body[layout.AT_OPERATORS : layout.AT_NUMBER])
    return Haul(number_at(body, 0), keys[0][: layout.KEY], (*keys, operators), secret, low)
