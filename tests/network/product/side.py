# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The product's agents and administrators as a side of the world, over units of the model."""

from random import Random
from typing import Any

from ndks.agent.packets import Ask, Message, Report, Voucher
from ndks.network.administrator import Administrator
from ndks.network.bundle import ASK, BUNDLE, BadBundle, Bundle, pack_ask, parse_ask
from ndks.network.network_file import Network
from ndks_protocol.control import limits

from ..model.capsules import Box, Head, epoch_key, header_key_of, hint_of, later_member_key
from ..model.epochs import Member
from ..model.generations import Notice, Side
from ..world.interface import Haul, Packet, Sight
from ..world.model_views import haul_of
from .administrator import ProductAdministrator
from .capsules import Capsules
from .machine import POWER_CUTS, HostCrash, ProductMachine
from .model_device import ModelDevice, name_of

_SIGNATURE = 64


class AgentsSide:
    """Agents and administrators of the product, units of the model."""

    interruptions = (*POWER_CUTS, HostCrash)
    steps_of_power = 8
    wear_of_a_move = 2
    stride = 1
    moves, past, pause = limits.MOVES, limits.PAST, limits.MOVE_PAUSE

    def __init__(self) -> None:
        self.capsules = Capsules()
        self._network: Network | None = None
        self._random = Random("names of boxes")

    def administrator(self, number: int, of: int, root: bytes, random: Random) -> ProductAdministrator:
        if self._network is None:
            self._network = Network("tried", "hybrid", "vernam", "0.52", "25", 3, 0, random.randbytes(32))
        administrator = ProductAdministrator(number, of, self._network, root, random, self._learn)
        self._public = administrator.file.keys.public
        return administrator

    def machine(self, member: Member, watch: Any, random: Random) -> ProductMachine:
        device = self.device(member, watch, random)
        return ProductMachine(device, member.mode, self.capsules, self._public, random)

    def machine_of_before(self, random: Random, lane: int = 4) -> ProductMachine:
        """Return a member of a network without administrators."""
        if self._network is None:
            self._network = Network("before", "hybrid", "vernam", "0.52", "25", 3, 0, random.randbytes(32))
        self._public = b""
        return self.machine(Member(lane, 0, b"", "elected", self._network.secret), lambda _: None, random)

    def device(self, member: Member, watch: Any, random: Random) -> Any:
        return ModelDevice(member, self.capsules, watch, random)

    def _learn(self, administrator: Administrator, bundle: Bundle) -> None:
        """Note what the notices of a bundle say."""
        state = administrator.state
        made = {generation.g: generation for generation in state.generations}
        this = made[bundle.g]
        for lane, (hint, capsule) in zip(this.members, bundle.notices, strict=True):
            key = administrator.keys.member_key(lane, bundle.g)
            count = (len(capsule) - limits.EMPTY_NOTICE_SIZE - 2 * len(this.revoked)) // 38
            others = [each for g, each in sorted(made.items()) if g < bundle.g and lane in each.members]
            sides = [Side(o.g, o.secret, frozenset(o.revoked), o.operators) for o in others[len(others) - count :]]
            notice = Notice(bundle.g, this.operators, this.secret, this.revoked, tuple(sides))
            head = Head("control", limits.ADMINISTRATOR_LANE + bundle.g % 4, bundle.g + 1, 0)
            self.capsules.boxes[capsule] = Box(header_key_of(key), head, key, notice, len(capsule) - 69)
            assert hint == hint_of(key)

    # Packets

    def kind_of(self, packet: Packet) -> str:
        if packet[0] == BUNDLE:
            return "bundle"
        return "ask" if packet[0] == ASK else "capsule"

    def size_of(self, packet: Packet) -> int:
        return len(packet)

    def sight_of(self, packet: Packet) -> Sight | None:
        return self.capsules.sights.get(packet)

    def g_of(self, packet: Packet) -> int:
        return parse_ask(packet) if packet[0] == ASK else int.from_bytes(packet[2:4])

    def ask(self, g: int) -> Packet:
        return pack_ask(g)

    def damaged(self, packet: Packet, random: Random) -> Packet | None:
        """Not here: the model's units know whole capsules only."""

    # Thieves

    def loot(self, machine: ProductMachine) -> tuple[list[Haul], list[tuple[int, bytes]]]:
        return machine.device.loot()

    def open_notice(self, bundle: Packet, g: int, key: bytes) -> list[Haul]:
        parsed = self._parsed(bundle)
        if not parsed:
            return []
        key = later_member_key(key, max(0, parsed.g - g))
        for capsule in parsed.notices_for(hint_of(key)):
            box = self.capsules.boxes.get(capsule)
            if box and box.key == key:
                notice: Notice = box.body
                pairs = [(notice.g, notice.secret), *((side.g, side.secret) for side in notice.sides)]
                return [haul_of(g, secret) for g, secret in pairs]
        return []

    def _parsed(self, bundle: Packet) -> Bundle | None:
        """Return a bundle, or None for one that was damaged."""
        try:
            return Bundle.parse(bundle)
        except BadBundle:
            return None

    def reads(self, haul: Haul, packet: Packet, sight: Sight) -> bool:
        return sight.key == epoch_key(haul.secret, max(0, sight.number - haul.low))

    def forge_bundle(self, bundle: Packet, g: int) -> Packet:
        return bundle[:2] + g.to_bytes(2) + b"\xff\xff" + bundle[6:]

    def with_hint(self, bundle: Packet, hint: bytes) -> Packet:
        for other, _ in Bundle.parse(bundle).notices:
            bundle = bundle.replace(other, hint)
        return bundle

    def altered(self, bundle: Packet) -> list[Packet]:
        first, second, *_ = Bundle.parse(bundle).notices
        exchanged = bundle.replace(first[1], second[1], 1)
        later = bundle[:2] + (self.g_of(bundle) + 4).to_bytes(2) + bundle[4:]
        return [exchanged, later, bundle[:-_SIGNATURE] + bytes(_SIGNATURE), bundle[:-1]]

    def forge_beacon(self, haul: Haul, lane: int, n: int, number: int, term: int) -> Packet:
        body = ("beacon", haul.g, number, term)
        return self._forged(haul, Head("control", lane, n, 0), haul.keys, body, b"", 9)

    def forge(self, haul: Haul, lane: int, n: int, number: int, word: tuple[Any, ...]) -> Packet:
        kind, data = packed_word(word)
        key = epoch_key(haul.secret, max(0, number - haul.low))
        return self._forged(haul, Head(kind, lane, n, number), key, data, data, len(data))

    def _forged(self, haul: Haul, head: Head, key: bytes, body: Any, data: bytes, size: int) -> Packet:
        box = Box(haul.generation, head, key, body, size)
        capsule = name_of(box, self._random)
        self.capsules.boxes[capsule] = box
        return capsule

    def some_digest(self, random: Random) -> bytes:
        return random.randbytes(16)


def packed_word(word: tuple[Any, ...]) -> tuple[str, bytes]:
    """Return kind and data of a forged word."""
    name, *fields = word
    if name == "data":
        return "data", fields[0]
    if name == "message":
        return "message", Message(fields[0], 0, fields[1]).packed()
    makes = {"report": Report, "voucher": Voucher, "ask": Ask}
    return "housekeeping", makes[name](*fields).packed()
