# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The model's units, hosts and administrators in the world."""

import contextlib
from copy import deepcopy
from random import Random
from typing import Any

from ..model.administrator import Administrator, TooManyRevoked
from ..model.agent import Agent, HostCrash
from ..model.capsules import Box, Head, Refused, derive, epoch_key, header_key_of, hint_of, later_member_key
from ..model.epochs import Member
from ..model.flash import Flash, PowerCut
from ..model.generations import Generation, Notice, Past
from ..model.packets import Ask, Bundle
from ..model.rules import LIMITS
from ..model.store import Delivered, Store
from ..model.unit import Ticked, Unit
from .interface import Account, Haul, Issued, Kept, Packet, Sent, Sight, View

REPEAT = 64  # ticks between copies of a new bundle
_SIZES = {"message": 20, "report": 40, "voucher": 23, "ask": 22, "data": 9}  # bytes of forged words


class WatchedUnit(Unit):
    """A unit that shows each capsule that it seals to `watch`, and counts notices."""

    watch: Any = None
    notices = 0

    def notice(self, g: int, box: Box) -> int:
        self.notices += 1
        return super().notice(g, box)

    def seal(self, kind: str, body: Any, size: int) -> tuple[Box, int]:
        sealed = super().seal(kind, body, size)
        self.watch(sight_of(sealed[0]))
        return sealed

    def tick(self, ticks: int) -> Ticked:
        ticked = super().tick(ticks)
        if ticked.beacon:
            self.watch(sight_of(ticked.beacon))
        return ticked


class ModelMachine:
    """A unit and a host of the model."""

    def __init__(self, member: Member, public: bytes, watch: Any, random: Random) -> None:
        self.lane, self.mode = member.lane, member.mode
        self.flash = Flash()
        self.flash.records = first_records(member)
        self.unit = WatchedUnit(self.flash, lambda: random.getrandbits(16))
        self.unit.watch = watch
        self.store = Store(member.g - 1)
        self.agent = Agent(self.unit, self.store, random, public)

    def receive(self, packet: Packet) -> list[Packet]:
        return self.agent.receive(packet)

    def tick(self, ticks: int) -> list[Packet]:
        return self.agent.tick(ticks)

    def send(self, payload: bytes) -> list[Packet]:
        return self.agent.send(payload)

    def renew(self) -> list[Packet]:
        with contextlib.suppress(Refused):
            self.unit.renew()
        return []

    def set_mode(self, mode: str) -> list[Packet]:
        self.unit.set_role(mode)
        self.mode = mode
        return []

    # Trouble

    def recover(self, interruption: BaseException) -> list[Packet]:
        published = self.agent.out
        if isinstance(interruption, PowerCut):
            self.restart_unit()
        else:
            self.restart_host()
        return published

    def restart_unit(self) -> None:
        while True:
            try:
                self.unit.start()
                return
            except PowerCut:
                pass

    def start_unit(self) -> None:
        self.unit.start()

    def whole(self) -> tuple[dict[str, Any], list[Any]]:
        return dict(self.flash.records), list(self.flash.superseded)

    def put_whole(self, flash: tuple[dict[str, Any], list[Any]]) -> None:
        self.flash.records, self.flash.superseded = dict(flash[0]), list(flash[1])

    def restart_host(self) -> None:
        self.agent.start()

    def cut_power_in(self, steps: int | None) -> None:
        self.flash.cut_in = steps

    def crash_in(self, steps: int | None) -> None:
        self.agent.crash_in = steps

    def erase(self) -> None:
        self.unit.erase()

    def image(self) -> dict[str, Any]:
        return dict(self.flash.records)

    def put_back(self, image: dict[str, Any]) -> None:
        floor = self.unit.own_number + 1  # its host knows the highest number that was used
        self.flash.records = image | {"numbers": max(floor, image.get("numbers", 1))}
        self.flash.cut_in = None
        self.restart_unit()

    def backup(self) -> Store:
        return deepcopy(self.store)

    def restore(self, backup: Store | None) -> None:
        store = deepcopy(backup) if backup else Store(self.store.base)
        store.begun = False
        self.store = self.agent.store = store
        self.agent.start()

    # For the directed cases

    @property
    def wear(self) -> int:
        return self.flash.moves

    @property
    def notices(self) -> int:
        return self.unit.notices

    def tick_unit(self, ticks: int) -> list[Packet]:
        self.unit.tick(ticks)
        return []

    def hint(self, g: int) -> bytes:
        return self.unit.hint(g)

    def keeps(self, bundle: Bundle) -> bool:
        return bundle in self.store.bundles.values()

    def sealed_data(self, payload: bytes) -> Packet:
        return self.unit.seal("data", ("data", payload), len(payload))[0]

    def accept(self, packet: Packet, *, allow_jump: bool = False) -> str:
        try:
            self.unit.open(packet, again=False, allow_jump=allow_jump)
            self.unit.accept(packet, allow_jump=allow_jump)
        except Refused as refused:
            return refused.name
        return ""

    # For the checks

    @property
    def view(self) -> View | None:
        return view_of(self.unit)

    @property
    def log(self) -> list[Delivered]:
        return self.store.log

    @property
    def last_sent(self) -> int:
        return self.store.last if self.store.begun else -1

    def outbox(self) -> list[Sent]:
        return [Sent(s, entry.box and sight_of(entry.box)) for s, entry in self.store.outbox.items()]

    def account(self, lane: int) -> Account:
        inbox = self.store.inbox(lane)
        missing = inbox.missing({kept.g for kept in (self.view.here, *self.view.past)} if self.view else set())
        return Account(frozenset(inbox.delivered), frozenset(inbox.unreadable), tuple(missing))


def first_records(member: Member) -> dict[str, Any]:
    """Return what ENROL writes, or PROVISION in a network of before."""
    return {"member": member} if member.secret else {"member": member, "first": (member.g, member.key)}


def view_of(unit: Unit) -> View | None:
    here = None if unit.erased else unit.epochs.here
    if here is None:
        return None
    roles, past = unit.roles, tuple(map(_kept, unit.epochs.past))
    return View(_kept(here), past, here.revoked, roles.term, roles.master, roles.is_master)


def _kept(generation: Generation | Past) -> Kept:
    return Kept(generation.g, generation.header_key, generation.number, generation.low)


def sight_of(box: Box) -> Sight:
    head, body = box.head, box.body
    kind = head.kind if head.kind == "message" else body[0]
    s = body[0] if kind == "message" else 0
    return Sight(kind, box.header_key, box.key, head.lane, head.n, head.number, s, body, box.digest)


class ModelAdministrator:
    """An administrator of the model, and its host."""

    def __init__(self, number: int, of: int, root: bytes, random: Random) -> None:
        self.number, self._file = number, Administrator(number, root, random, of)
        self.public = self._file.public
        self.issued: list[Issued] = []
        self._now = self._repeat_at = 0
        self._is_unconfirmed = False

    @property
    def revoked(self) -> set[int]:
        return self._file.revoked

    def has(self, lane: int) -> bool:
        return lane in self._file.given

    def new_member(self, mode: str) -> Member:
        return self._file.new_member(mode)

    def lane_of(self, member: Member) -> int:
        return member.lane

    def revoke(self, lane: int) -> bool:
        try:
            self._file.revoke(lane)
        except TooManyRevoked:
            return False
        return True

    def retire(self, lane: int) -> None:
        self._file.retire(lane, zeroized=True)

    def new_operators(self, random: Random) -> None:
        self._file.operators = random.randrange(1, 13), random.randrange(9), random.randrange(9)

    def skip_to(self, g: int) -> None:
        self._file.g = g

    def issue(self) -> None:
        self._note(self._file.issue())

    def bundles(self) -> list[Packet]:
        return [bundle for _, bundle in sorted(self._file.bundles.items())]

    def _note(self, bundle: Bundle) -> None:
        known = self._file.known[bundle.g]
        header_key = header_key_of(known.secret)
        self.issued.append(Issued(bundle, bundle.g, header_key, known.revoked, known.members))
        self._is_unconfirmed, self._repeat_at = True, 0

    def tick(self, ticks: int) -> list[Packet]:
        """Repeat a new bundle until a capsule of its generation is heard."""
        self._now += ticks
        if not self._is_unconfirmed or self._now < self._repeat_at:
            return []
        self._repeat_at = self._now + REPEAT
        return self._later(-1)

    def receive(self, packet: Packet) -> list[Packet]:
        if isinstance(packet, Bundle):
            g = self._file.g
            merge = self._file.on_bundle(packet)
            if merge:
                self._note(merge)
            elif self._file.g > g:
                self._is_unconfirmed = False
        elif isinstance(packet, Ask):
            if packet.g < self._file.g and self._now >= self._repeat_at:
                self._repeat_at = self._now + REPEAT // 2
                return self._later(packet.g)
        elif self._is_unconfirmed:
            self._is_unconfirmed = packet.header_key != header_key_of(self._file.known[self._file.g].secret)
        return []

    def _later(self, g: int) -> list[Packet]:
        return [bundle for number, bundle in sorted(self._file.bundles.items()) if number > g]


class ModelSide:
    """The model."""

    interruptions = (PowerCut, HostCrash)
    steps_of_power = 8
    wear_of_a_move = 2  # writes of record 20: the move, and settling

    stride = 1

    @property
    def past(self) -> int:
        return LIMITS.past

    @property
    def moves(self) -> int:
        return LIMITS.moves

    @property
    def pause(self) -> int:
        return LIMITS.pause

    def administrator(self, number: int, of: int, root: bytes, random: Random) -> ModelAdministrator:
        administrator = ModelAdministrator(number, of, root, random)
        self._public = administrator.public
        return administrator

    def machine(self, member: Member, watch: Any, random: Random) -> ModelMachine:
        return ModelMachine(member, self._public, watch, random)

    def machine_of_before(self, random: Random) -> ModelMachine:
        """Return a member of a network without administrators."""
        member = Member(4, 0, b"", "elected", random.randbytes(32))
        return ModelMachine(member, b"", lambda _: None, random)

    # Packets

    def kind_of(self, packet: Packet) -> str:
        return {Box: "capsule", Bundle: "bundle", Ask: "ask"}[type(packet)]

    def size_of(self, packet: Packet) -> int:
        return packet.size

    def sight_of(self, packet: Packet) -> Sight | None:
        return sight_of(packet) if isinstance(packet, Box) else None

    def g_of(self, packet: Packet) -> int:
        return packet.g

    def ask(self, g: int) -> Ask:
        return Ask(g)

    # Thieves

    def loot(self, machine: ModelMachine) -> tuple[list[Haul], list[tuple[int, bytes]]]:
        return loot_of(machine.flash)

    def open_notice(self, bundle: Bundle, g: int, key: bytes) -> list[Haul]:
        key = later_member_key(key, max(0, bundle.g - g))  # an older notice is under an older key
        for hint, box in bundle.notices:
            if hint == hint_of(key) and box.key == key:
                notice: Notice = box.body
                pairs = [(notice.g, notice.secret), *((side.g, side.secret) for side in notice.sides)]
                return [haul_of(g, secret) for g, secret in pairs]
        return []

    def reads(self, haul: Haul, packet: Box, sight: Sight) -> bool:
        return packet.key == epoch_key(haul.secret, max(0, sight.number - haul.low))

    def forge_bundle(self, bundle: Bundle, g: int) -> Bundle:
        return bundle._replace(g=g, previous=-1)

    def with_hint(self, bundle: Bundle, hint: bytes) -> Bundle:
        return bundle._replace(notices=tuple((hint, box) for _, box in bundle.notices))

    def altered(self, bundle: Bundle) -> list[Bundle]:
        """Return copies of a bundle that a member may publish: with notices exchanged, later, without a signature."""
        hints, boxes = zip(*bundle.notices, strict=True)
        exchanged = tuple(zip(hints, boxes[1:] + boxes[:1], strict=True))
        return [
            bundle._replace(notices=exchanged),
            bundle._replace(g=bundle.g + 4),
            bundle._replace(previous=bundle.g - 1, signature=None),
        ]

    def forge_beacon(self, haul: Haul, lane: int, n: int, number: int, term: int) -> Box:
        body = ("beacon", haul.g, number, term)
        return Box(haul.generation, Head("control", lane, n, 0), haul.keys, body, 9)

    def forge(self, haul: Haul, lane: int, n: int, number: int, word: tuple[Any, ...]) -> Box:
        kind = word[0] if word[0] in ("message", "data") else "housekeeping"
        body = word[1:] if kind == "message" else word
        key = epoch_key(haul.secret, max(0, number - haul.low))
        return Box(haul.generation, Head(kind, lane, n, number), key, body, _SIZES[word[0]])

    def some_digest(self, random: Random) -> int:
        return random.randrange(1, 9999)


def _haul(entry: Generation | Past) -> Haul:
    control = entry.control_key if isinstance(entry, Generation) else b""
    return Haul(entry.g, entry.header_key, control, entry.secret, entry.low)


def haul_of(g: int, secret: bytes) -> Haul:
    return Haul(g, header_key_of(secret), derive(secret, "ndks control"), secret, 0)


def loot_of(flash: Flash) -> tuple[list[Haul], list[tuple[int, bytes]]]:
    """Return all that is in flash, superseded or not."""
    hauls: list[Haul] = []
    keys: list[tuple[int, bytes]] = []
    for record in (*flash.records.values(), *flash.superseded):
        if isinstance(record, Member):
            hauls += [haul_of(0, record.secret)] if record.secret else []
            continue
        if isinstance(record, tuple) and len(record) == 2 and isinstance(record[0], int):
            keys.append(record)  # record 22
            continue
        entries = record if isinstance(record, tuple) and not isinstance(record, Generation) else [record]
        hauls += [_haul(entry) for entry in entries if isinstance(entry, Generation | Past)]
        keys += [(entry.g + 1, entry.member_key) for entry in entries if getattr(entry, "member_key", b"")]
    return hauls, keys
