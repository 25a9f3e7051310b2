# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The model in the world."""

from random import Random
from typing import Any

from ..model.capsules import Box, Head, epoch_key, hint_of, later_member_key
from ..model.epochs import Member
from ..model.flash import PowerCut
from ..model.generations import Notice
from ..model.packets import Ask, Bundle
from ..model.rules import LIMITS
from ..model.station import HostCrash
from .interface import Haul, Packet, Sight
from .model_administrator import ModelAdministrator
from .model_machine import ModelMachine
from .model_views import haul_of, loot_of, sight_of

_SIZES = {"message": 20, "report": 40, "voucher": 23, "ask": 22, "data": 9}  # bytes of forged words


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

    def damaged(self, packet: Packet, random: Random) -> None:
        """Symbolic packets have no bytes."""

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
