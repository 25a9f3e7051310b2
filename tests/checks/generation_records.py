# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The bodies of records 20 to 22 from PROTOCOL.md section 7 alone: nothing of the project is imported here."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from network_reference import MOVES, Generation, epoch_secret, lanes

GENERATION, PAST_GENERATIONS, FIRST_KEY = 0x20, 0x21, 0x22


class Present(NamedTuple):
    """A unit's generation, with its own M(lane, g + 1)."""

    generation: Generation
    member_key: bytes
    number: int = 0
    low: int = 0
    moves: tuple[int, ...] = ()  # oldest first
    mode: int = 0
    settled: int = 1

    @property
    def body(self) -> bytes:
        generation = self.generation
        moves = (*self.moves, *(0 for _ in range(MOVES - len(self.moves))))
        head = struct.pack(">H3B2HB", generation.g, *generation.operators, self.number, self.low, len(self.moves))
        head += struct.pack(f">{MOVES}H2B", *moves, self.mode, self.settled)
        keys = self.member_key + generation.header_keys + generation.control_key
        epochs = epoch_secret(generation.secret, self.low) + epoch_secret(generation.secret, self.number)
        return head + keys + epochs + lanes(generation.revoked)


class Past(NamedTuple):
    generation: Generation
    number: int = 0
    low: int = 0

    @property
    def body(self) -> bytes:
        of = self.generation
        head = struct.pack(">H3B2HB", of.g, *of.operators, self.number, self.low, len(of.revoked))
        return head + of.header_keys + epoch_secret(of.secret, self.low)


def past_body(generations: Sequence[Past]) -> bytes:
    """Return the body of record 21, the highest generation first."""
    return b"".join(past.body for past in sorted(generations, key=lambda past: -past.generation.g))


def first_key_body(g: int, key: bytes, mode: int) -> bytes:
    return struct.pack(">H", g) + key + bytes([mode])
