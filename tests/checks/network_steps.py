# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Steps of conversations with units of networks, and what they are about."""

import struct

from capsule_reference import HYBRID, VERNAM, Message
from command_vectors import (
    chunk_request,
    exported,
    incoming,
    opens,
)
from conversation import (
    MAX_SENDERS,
    OWN_LANE,
    Step,
)
from enrolment_vectors import Enrolment
from network_life import THEIRS, NetworkLife, key_of
from network_reference import (
    DATA,
    Generation,
    notice,
    notice_data,
)
from network_vectors import CUBES, PLAIN
from wire_codes import C

MASTER, MONITORING = 1, 2  # roles
ELECTED, RELAY, MONITOR = 0, 1, 2  # modes
HEARD, MOVED, LOWER = 0, 1, 2  # events
VOUCHED, LEAVE = b"\4", b"\3"  # flags; again and allow_jump
PATIENCE = 48  # 32 and the bits of the first two bytes of entropy
BEACON = 8  # ticks
AHEAD = 4096
SENDERS = range(9, 9 + 2 * MAX_SENDERS, 2)
FIRST_G = Generation(1, bytes(range(64, 96)), PLAIN)
NEXT_G = Generation(2, bytes(range(96, 128)), PLAIN)
CUTTING = Generation(6, bytes(range(128, 160)), CUBES, (4,))


def named(g: int) -> bytes:
    return struct.pack(">H", g)


def noticed(new: Generation) -> bytes:
    """Return the request of NOTICE for the unit of the conversation."""
    return named(new.g) + notice(key_of(new.g), new.g, notice_data(new), THEIRS)


def theirs(of: Generation, number: int, lane: int = 9, n: int = 1, kind: int = DATA, data: bytes = b"x") -> Message:
    return of.capsule(kind, number, lane, n, data, THEIRS)


def at(of: Generation, number: int = 0) -> int:
    """Return an epoch as it is on the line."""
    return of.g << 16 | number


def opening(of: Generation, number: int, flags: bytes = b"\0", n: int = 1) -> list[Step]:
    """Open a message of lane 9 in mode b."""
    message = theirs(of, number, n=n)
    return [
        (C.OPEN_BEGIN, message.header + flags, opens(9, n, VERNAM, DATA, at(of, number))),
        (C.OPEN_CHUNK, incoming(0, 1, message.chunks[0]), b"x"),
    ]


def key_chunk(of: Generation, number: int, error: int = 0) -> Step:
    """Read an exported key of an epoch."""
    key = error or exported(HYBRID, of.network(number), 1, 16)
    return C.KEY_CHUNK, chunk_request(1, 0, 16, at(of, number)), key


def a_newcomer(mode: int = ELECTED) -> NetworkLife:
    """Return the conversation of a unit that has just entered its first generation."""
    life = NetworkLife()
    life.enrol(Enrolment(OWN_LANE, 1, mode=mode))
    life.open_session()
    life.enter(FIRST_G)
    return life
