# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Bundles of generations, for a gateway whose unit is behind: each u16 generation | u32 size | packet."""

import struct
from collections.abc import Iterable

from .errors import Garbage

MAX_BUNDLES = 16 << 20  # bytes of all of them in one message
_MOST = 64  # of them: more than any agent keeps, and few enough if somebody forges a message of many

Bundle = tuple[int, bytes]  # generation, and the packet for the agent, which checks who signed it
_HEAD = struct.Struct(">HI")


def pack(bundles: Iterable[Bundle]) -> bytes:
    """Return the bytes of the bundles, of the latest generations if not all fit."""
    packed: list[bytes] = []
    room = MAX_BUNDLES
    for generation, packet in sorted(bundles, reverse=True):
        room -= _HEAD.size + len(packet)
        if room < 0:
            break
        packed.append(_HEAD.pack(generation, len(packet)) + packet)
    return b"".join(reversed(packed))


def unpack(data: bytes) -> tuple[Bundle, ...]:
    """Return the bundles. Garbage: sizes do not fit, or there are more than 64."""
    bundles: list[Bundle] = []
    position = 0
    while position < len(data):
        if len(data) - position < _HEAD.size:
            raise Garbage("bundles are cut short")
        generation, size = _HEAD.unpack_from(data, position)
        position += _HEAD.size + size
        if position > len(data):
            raise Garbage("bundles are cut short")
        if len(bundles) == _MOST:
            raise Garbage("there are more bundles than a network has")
        bundles.append((generation, data[position - size : position]))
    return tuple(bundles)
