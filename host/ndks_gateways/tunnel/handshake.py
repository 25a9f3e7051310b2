# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The handshake of a link, as generators that yield steps: `connect` for A, which calls, `accept` for B."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from .doors import Door
from .steps import Step


@dataclass(frozen=True, slots=True)
class Identity:
    """A gateway: the tunnel's name, 16 random bytes of this process, the credit in bytes that it gives each stream
    (u32), its static key, and its unit's lane."""

    name: str
    process: bytes
    window: int
    static: X25519PrivateKey = field(repr=False)
    lane: int


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
    udp_id: bytes
    resumable: Resumable
    pair: bytes | None = field(repr=False)
    door: Door | None

    @property
    def peer(self) -> Peer:
        return self.resumable.peer

    @property
    def is_resumed(self) -> bool:
        return self.door is None


Handshake = Generator[Step, Any, Established]


def attempts(resumable: Resumable | None, doors: Sequence[Door]) -> list[Resumable | Door]:
    """Return by what A tries to connect, in turn, each over a new connection: resumption, pair door, doors of epochs.

    B closes what does not fit, so the next one is tried after any HandshakeError that comes of a closed link.
    """
    ordered = sorted(doors, key=lambda door: (door.kind != "pair", -(door.epoch or 0)))
    return [*([resumable] if resumable else []), *ordered]


def connect(identity: Identity, attempt: Resumable | Door, expected: Expected) -> Handshake:
    """A's side of one connection. HandshakeError, of the kinds in `errors`."""
    raise NotImplementedError


def accept(identity: Identity, resumables: Mapping[bytes, Resumable], expected: Expected) -> Handshake:
    """B's side of one connection; `resumables` by their ids. HandshakeError, of the kinds in `errors`.

    Order: sizes, door, bucket, unit, lane, Noise. A stranger costs a MAC a door: no step but Read, Send and Doors.
    """
    raise NotImplementedError
