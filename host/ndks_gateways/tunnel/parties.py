# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Who takes part in a handshake, and what it gives."""

from dataclasses import dataclass, field
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from .derivations import UDP_ID_SIZE, derived, resumption_id
from .doors import Door
from .knocks import Payload
from .noise import Noise


@dataclass(frozen=True, slots=True)
class Identity:
    """A gateway: the tunnel's name, 16 random bytes of this process, the credit in bytes that it gives each stream
    (u32), its static key, and its unit's lane."""

    name: str
    process: bytes
    window: int
    static: X25519PrivateKey = field(repr=False)
    lane: int

    @property
    def payload(self) -> bytes:
        return Payload(self.process, self.window).packed()


@dataclass(frozen=True, slots=True)
class Expected:
    """What the other gateway must have: the lane that the user named or that is pinned, the pinned static public key
    (32 bytes). None: not known yet."""

    lane: int | None = None
    static: bytes | None = None


@dataclass(frozen=True, slots=True)
class Peer:
    """The other gateway: its process, the credit in bytes that it gives each stream, its lane and static public key."""

    process: bytes
    window: int
    lane: int
    static: bytes


@dataclass(frozen=True, slots=True)
class Resumable:
    """A link that may be resumed, without the unit: in RAM only, wiped at a new generation."""

    id: bytes
    key: bytes = field(repr=False)
    peer: Peer


@dataclass(frozen=True, slots=True)
class Established:
    """A link's keys, each for one direction.

    `pair` is the key of the new pair door: None if the link was resumed. `door` is the one that was knocked at, None if
    it was resumed. `udp_id` begins each datagram.
    """

    role: Literal["A", "B"]
    send_key: bytes = field(repr=False)
    receive_key: bytes = field(repr=False)
    udp_send: bytes = field(repr=False)
    udp_receive: bytes = field(repr=False)
    resumable: Resumable
    pair: bytes | None = field(repr=False)
    door: Door | None

    @property
    def peer(self) -> Peer:
        return self.resumable.peer

    @property
    def udp_id(self) -> bytes:
        return self.resumable.id[:UDP_ID_SIZE]

    @property
    def is_resumed(self) -> bool:
        return self.door is None


def established(role: Literal["A", "B"], noise: Noise, peer: Peer, door: Door | None) -> Established:
    """Return the keys of a link whose handshake is complete."""
    to_b, to_a, secret = noise.split(3)
    names = "resume", "pair", "udp A", "udp B"
    resume, pair, udp_a, udp_b = (derived(secret, f"ndks tunnel {name}", noise.h) for name in names)
    keys = (to_b, to_a, udp_a, udp_b) if role == "A" else (to_a, to_b, udp_b, udp_a)
    resumable = Resumable(resumption_id(resume), resume, peer)
    return Established(role, *keys, resumable, pair if door else None, door)
