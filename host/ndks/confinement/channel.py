# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Where the capsule that was sent and the one that was received differ (PROTOCOL.md section 4)."""

from dataclasses import dataclass

from ndks_protocol.capsule import CHUNK, TAG_SIZE
from ndks_protocol.wire import WIRE_HEADER_SIZE

_CHUNK = CHUNK + TAG_SIZE
_BITS = range(8)


@dataclass(frozen=True)
class Difference:
    """A byte that differs: which of its bits do, 0 being the highest, and which part of the capsule it is in."""

    byte: int
    bits: tuple[int, ...]
    part: str


@dataclass(frozen=True)
class Differences:
    """The bytes that differ as far as both capsules go; `missing` bytes at the end, negative if there are too many."""

    bytes: tuple[Difference, ...]
    missing: int

    @property
    def bits(self) -> int:
        """How many bits differ."""
        return sum(len(each.bits) for each in self.bytes)


def differences(sent: bytes, received: bytes) -> Differences:
    """Return where a capsule that was received differs from the one that was sent."""
    found = [
        Difference(at, tuple(bit for bit in _BITS if (ours ^ theirs) & 0x80 >> bit), part_of(at, len(sent)))
        for at, (ours, theirs) in enumerate(zip(sent, received, strict=False))
        if ours != theirs
    ]
    return Differences(tuple(found), len(sent) - len(received))


def part_of(at: int, size: int) -> str:
    """Return the part that a byte is in, in a capsule of this size."""
    if at < WIRE_HEADER_SIZE:
        return "version" if not at else "header tag" if at <= TAG_SIZE else "header"
    number, place = divmod(at - WIRE_HEADER_SIZE, _CHUNK)
    chunk = min(_CHUNK, size - WIRE_HEADER_SIZE - number * _CHUNK)
    return f"{'text' if place < chunk - TAG_SIZE else 'tag'} of chunk {number}"
