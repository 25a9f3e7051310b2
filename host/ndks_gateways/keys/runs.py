# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Slots: slot s of a run is bytes 32 s to 32 s + 31 of its exported key. A key has the slots that it needs."""

from collections.abc import Iterator
from typing import NamedTuple

SLOT = 32  # bytes
SLOTS = 1 << 24  # in a run
CHUNK = 1024  # bytes that a unit gives at once
LONGEST = 1024  # bytes of a key
RUN_SECONDS = 3600.0  # after which a server takes another run


class Run(NamedTuple):
    """A run, which belongs to one server. Others read it only to deliver its keys."""

    epoch: int
    lane: int
    run: int


class Place(NamedTuple):
    """Where a key is: its first slot, and its size in bytes."""

    epoch: int
    lane: int
    run: int
    slot: int
    size: int


class Piece(NamedTuple):
    """Bytes `start` to `stop` of a chunk."""

    chunk: int
    start: int
    stop: int


def slots_of(size: int) -> int:
    """Return how many slots a key of `size` bytes takes."""
    return -(-size // SLOT)


def is_place(slot: int, size: int) -> bool:
    """Return whether a key of this size can be there."""
    return 1 <= size <= LONGEST and 0 <= slot <= SLOTS - slots_of(size)


def pieces_of(slot: int, size: int) -> Iterator[Piece]:
    """Yield the pieces of chunks that make up a key."""
    first, last = slot * SLOT, slot * SLOT + size
    for chunk in range(first // CHUNK, -(-last // CHUNK)):
        yield Piece(chunk, max(first - chunk * CHUNK, 0), min(last - chunk * CHUNK, CHUNK))
