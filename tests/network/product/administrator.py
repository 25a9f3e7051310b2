# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The product's administrators in the world."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from ndks.exceptions import UsageError
from ndks.network.administration import Administration
from ndks.network.administrator import Administrator
from ndks.network.administrator_host import AdministratorHost
from ndks.network.bundle import Bundle
from ndks.network.generation import Generation
from ndks.network.network_file import Network
from ndks_protocol.parameters import MAX_DIGITS

from ..model.capsules import header_key_of
from ..model.epochs import Member
from ..world.interface import Issued, Packet

Told = Callable[[Administrator, Bundle], None]


class ProductAdministrator:
    """An administrator's file and host. `told` is shown each bundle that it makes."""

    def __init__(self, number: int, of: int, network: Network, root: bytes, random: Random, told: Told) -> None:
        self.number, self._told = number, told
        state = Administration(network, root, number, of if number == 0 else 0, revocations=96 // of)
        self.file = Administrator(state, random_bytes=random.randbytes)
        self._host = AdministratorHost(self.file)
        self.issued: list[Issued] = []
        self._known: set[int] = set()
        self._operators: tuple[int, int, int] | None = None

    @property
    def revoked(self) -> set[int]:
        return set(self.file.state.revoked)

    def has(self, lane: int) -> bool:
        return any(member.lane == lane for member in self.file.state.members)

    def new_member(self, mode: str) -> Member:
        lane, g = self.file.state.free_lane(), self.file.state.next_g()
        self.file.admit(f"{lane:016X}")
        return Member(lane, g, self.file.keys.member_key(lane, g), mode)

    def lane_of(self, member: Member) -> int:
        return member.lane

    def revoke(self, lane: int) -> bool:
        try:
            self.file.revoke([lane])
        except UsageError:
            return False
        return True

    def retire(self, lane: int) -> None:
        self.file.retire([lane])

    def new_operators(self, random: Random) -> None:
        self._operators = random.randrange(1, MAX_DIGITS + 1), 0, 0  # other f1 and f2 take a PC long

    def set_operators(self, operators: tuple[int, int, int]) -> None:
        self._operators = operators

    def with_hint(self, bundle: Packet, hint: bytes) -> Packet:
        parsed = Bundle.parse(bundle)
        notices = [(hint, notice) for _, notice in parsed.notices]
        return Bundle.signed(self.file.keys.signing, parsed.g, parsed.previous, notices, parsed.record).content

    def skip_to(self, g: int) -> None:
        state = self.file.state
        made = Generation(g, state.operators, bytes(32), state.revoked, state.present)
        self.file.state = replace(state, g=g, generations=(*state.generations, made))
        self._known.add(g)

    def issue(self) -> None:
        self.file.issue(operators=self._operators)
        self._operators = None
        self._note()

    def bundles(self) -> list[Packet]:
        return [bundle.content for bundle in self.file.state.bundles]

    def tick(self, ticks: int) -> list[Packet]:
        return self._host.tick(ticks)

    def receive(self, packet: Packet) -> list[Packet]:
        answers = self._host.receive(packet)
        self._note()
        return answers

    def _note(self) -> None:
        """Note the generations that were made here since."""
        for bundle in self.file.state.bundles:
            if bundle.g % 4 == self.number and bundle.g not in self._known:
                generation = self.file.state.generation(bundle.g)
                assert generation
                revoked, members = frozenset(generation.revoked), frozenset(generation.members)
                header_key = header_key_of(generation.secret)
                self.issued.append(Issued(bundle.content, bundle.g, header_key, revoked, members))
                self._told(self.file, bundle)
            self._known.add(bundle.g)
