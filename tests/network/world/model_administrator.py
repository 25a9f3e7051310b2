# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An administrator of the model, and its host, in the world."""

from random import Random

from ..model.administrator import Administrator, TooManyRevoked
from ..model.capsules import header_key_of
from ..model.epochs import Member
from ..model.packets import Ask, Bundle, Signature
from .interface import Issued, Packet

REPEAT = 64  # ticks between copies of a new bundle


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

    def set_operators(self, operators: tuple[int, int, int]) -> None:
        self._file.operators = operators

    def with_hint(self, bundle: Bundle, hint: bytes) -> Bundle:
        bundle = bundle._replace(notices=tuple((hint, box) for _, box in bundle.notices))
        return bundle._replace(signature=Signature(self.public, bundle.content))

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
