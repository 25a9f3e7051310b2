# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The interface of a network under attack: on its channel, with a stolen member, with a copy of a flash."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

from ndks_laboratory.homologation.system import Dump


class Thief(ABC):
    """A thief with a member's unit, its laptop, and all that was recorded."""

    @abstractmethod
    def read(self, packets: Iterable[bytes]) -> set[bytes]:
        """Return the texts that unit and laptop can open in these packets, by whatever means."""

    @abstractmethod
    def send(self, text: bytes) -> list[bytes]:
        """Return the packets of a message in the unit's name."""

    @abstractmethod
    def beacons(self) -> list[bytes]:
        """Return the packets by which the unit would lead."""


class NetworkSystem(ABC):
    """Members with an administrator. Failures other than refusals raise NdksError."""

    @abstractmethod
    def talk(self, text: bytes) -> list[bytes]:
        """Have a member send a text that reaches all others, and return the packets. CheckFailed: it does not come."""

    @abstractmethod
    def recording(self) -> list[bytes]:
        """Return all packets ever sent."""

    @abstractmethod
    def beacons(self) -> list[bytes]:
        """Return the beacons recorded so far, the last of which is the present master's."""

    @abstractmethod
    def hear(self, packet: bytes) -> bytes:
        """Give a packet to all members as a beacon; return who follows it. Refusal: nobody does."""

    @abstractmethod
    def another_leads(self, replayed: list[bytes]) -> bool:
        """Take the master away, and return whether another leads in time while packets are replayed to all."""

    @abstractmethod
    def bundle(self) -> bytes:
        """Return the last bundle."""

    @abstractmethod
    def enter(self, packet: bytes) -> bytes:
        """Give a packet to all members as a bundle; return whose units were asked to enter. Refusal: nobody's."""

    @abstractmethod
    def hurry(self, renewals: int) -> int:
        """Have a member renew in each tick; return how often the unit of another, which counts ticks, moved."""

    @abstractmethod
    def steal(self) -> Thief:
        """Steal a member: it is gone for the others, who do not know about it yet."""

    @abstractmethod
    def revoke(self) -> None:
        """Have the administrator shut the stolen member out, and all others hear of it."""

    @abstractmethod
    def taken(self, packets: Iterable[bytes]) -> set[bytes]:
        """Give packets to all members, and return the texts that they deliver because of them."""

    @abstractmethod
    def dumps(self) -> tuple[Dump, ...]:
        """Return copies of flash, made now; none if they cannot be made."""

    @abstractmethod
    def marks(self) -> Mapping[str, bytes]:
        """Return, by owner, a public value in a member's flash: a copy without it belongs to another unit."""
