# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys of runs, read from the unit in chunks of 1 KB, the last of which are kept in memory for their other keys."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from ndks_protocol.kdf import wipe

from ..keys.ranges import index_of
from ..keys.runs import CHUNK, Piece, Place, pieces_of
from .unit import ServingUnit, unit_errors

_MOST = 256  # chunks

_Name = tuple[int, int, int]  # epoch, n, number of the chunk


class Chunks:
    """Bytes of runs. Whoever asks for a chunk that is being read waits for the same answer."""

    def __init__(self, unit: ServingUnit, most: int = _MOST) -> None:
        self._unit = unit
        self._most = most
        self._kept: OrderedDict[_Name, bytearray] = OrderedDict()
        self._reading: dict[_Name, asyncio.Task[bytes]] = {}

    async def keys(self, places: Sequence[Place]) -> list[bytes]:
        """Return the keys at these places. EpochGone, NotNow."""
        return [await self._key(place) for place in places]

    def wipe(self) -> None:
        """Overwrite all that is kept."""
        while self._kept:
            wipe(self._kept.popitem()[1])

    async def _key(self, place: Place) -> bytes:
        n = index_of(place.lane, place.run)
        pieces = pieces_of(place.slot, place.size)
        return b"".join([await self._piece((place.epoch, n, piece.chunk), piece) for piece in pieces])

    async def _piece(self, name: _Name, piece: Piece) -> bytes:
        if chunk := self._kept.get(name):
            self._kept.move_to_end(name)
            return bytes(chunk[piece.start : piece.stop])
        if name not in self._reading:
            self._reading[name] = asyncio.create_task(self._read(name))
        return (await asyncio.shield(self._reading[name]))[piece.start : piece.stop]

    async def _read(self, name: _Name) -> bytes:
        """Read a chunk and keep it. What is returned is not a view of what is kept, which may be wiped at once."""
        epoch, n, number = name
        try:
            with unit_errors():
                chunk = await self._unit.chunk(epoch, n, number * CHUNK, CHUNK)
        finally:
            del self._reading[name]
        self._kept[name] = bytearray(chunk)
        while len(self._kept) > self._most:
            wipe(self._kept.popitem(last=False)[1])
        return chunk
