# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What administrators know of members and generations (PROTOCOL.md section 13)."""

from dataclasses import dataclass, field
from enum import IntEnum

Operators = tuple[int, int, int]  # d, f1, f2, as on the wire


class State(IntEnum):
    """States of a member; they only grow, whoever changes them."""

    IN = 0
    RETIRED = 1  # seen erased, so its lane need not be in the list of revoked lanes
    REVOKED = 2


@dataclass(frozen=True)
class Admission:
    """Who agreed that a unit may join, as far as this administrator admitted it: this is for people, not for units."""

    label: str = ""
    request: str = ""  # SHA-256 of the request, in hex
    commitments: tuple[tuple[str, str], ...] = ()
    who: str = ""
    when: str = ""
    why: str = ""


@dataclass(frozen=True)
class AdmittedMember:
    """A lane that was given. `joined`: its first generation; -1: the next one. The uid has 16 hex digits."""

    lane: int
    serial_number: str
    joined: int = -1
    state: State = State.IN
    admission: Admission = Admission()


@dataclass(frozen=True)
class Generation:
    """A generation. `members`: the lanes that got a notice; () for generations so old that nobody asks."""

    g: int
    operators: Operators
    secret: bytes = field(repr=False)
    revoked: tuple[int, ...] = ()
    members: tuple[int, ...] = ()


def united(ours: AdmittedMember, theirs: AdmittedMember) -> AdmittedMember:
    """Return what two administrators together know of a lane."""
    state = max(ours.state, theirs.state)
    return AdmittedMember(ours.lane, ours.serial_number, max(ours.joined, theirs.joined), state, ours.admission)
