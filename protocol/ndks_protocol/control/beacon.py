# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The content of a beacon: which epoch its sender is in, and its term as master (PROTOCOL.md section 11)."""

import struct

from ndks_protocol import errors

from .limits import LAST_NUMBER

_TYPE = 1
_LAYOUT = ">BHHI"  # type, generation, number, term


def pack_beacon(generation: int, number: int, term: int) -> bytes:
    """Return the data of a beacon."""
    return struct.pack(_LAYOUT, _TYPE, generation, number, term)


def unpack_beacon(data: "bytes | memoryview", generation: int) -> tuple[int, int]:
    """Return the number and the term of a beacon of this generation.

    UnitError AUTH: it is not a beacon, or is of another generation. RANGE: there is no such number.
    """
    if len(data) != struct.calcsize(_LAYOUT):
        raise errors.UnitError(errors.AUTH)
    kind, its_generation, number, term = struct.unpack(_LAYOUT, data)
    if kind != _TYPE or its_generation != generation:
        raise errors.UnitError(errors.AUTH)
    if number > LAST_NUMBER:
        raise errors.UnitError(errors.RANGE)
    return number, term
