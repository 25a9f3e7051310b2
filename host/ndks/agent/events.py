# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What the agent tells its program."""

from dataclasses import dataclass, field
from enum import IntEnum


class Why(IntEnum):
    """Why a message is lost."""

    NOT_KEPT = 1  # its sender no longer has it
    GENERATION = 2  # it belongs to a generation that this unit does not hold
    EPOCH = 3  # it belongs to an epoch that this unit has given up


@dataclass(frozen=True)
class Delivered:
    """Message s of a lane, once, in order of s; `late`: it had been named as lost, or passed over."""

    lane: int
    s: int
    content: int
    data: bytes = field(repr=False)
    late: bool = False


@dataclass(frozen=True)
class Lost:
    """Messages `first` to `last` of a lane will not come."""

    lane: int
    first: int
    last: int
    why: Why


@dataclass(frozen=True)
class Entered:
    """The unit entered a generation."""

    g: int


@dataclass(frozen=True)
class Refused:
    """The unit refused a bundle for it, with an error of `ndks_protocol.errors`; ROSTER: it leaves out a revocation."""

    g: int
    error: int


@dataclass(frozen=True)
class LeftOut:
    """A later bundle has no notice for this unit: it was revoked or retired, or administrators are cut off."""

    g: int


@dataclass(frozen=True)
class Master:
    """Another lane leads; 0: none that this unit knows."""

    lane: int


@dataclass(frozen=True)
class Room:
    """Whether there is room for messages; if not, they stay with their senders until a program takes some."""

    is_there: bool


Event = Delivered | Lost | Entered | Refused | LeftOut | Master | Room


@dataclass(frozen=True)
class Heard:
    """A member was heard: by a capsule with its number, or by a beacon that the unit follows (None)."""

    lane: int
    epoch: int
    number: int | None


@dataclass
class Output:
    """What a step gives: packets to publish, in order, and events; and who was heard in it.

    What `passing` packets say holds only now, and is said again later: beacons, reports, asks.
    """

    packets: list[bytes] = field(default_factory=list[bytes])
    passing: set[bytes] = field(default_factory=set[bytes])
    events: list[Event] = field(default_factory=list[Event])
    heard: Heard | None = None
