# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys of runs, read from the unit in chunks of 1 KB, the last of which are kept in memory for their other keys."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Sequence

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
        kept = [self._kept_key(place) for place in places]
        missing = (self._read_key(place) for place, key in zip(places, kept, strict=True) if key is None)
        read = iter(await asyncio.gather(*missing))
        return [next(read) if key is None else key for key in kept]

    def wipe(self) -> None:
        """Overwrite all that is kept."""
        while self._kept:
            wipe(self._kept.popitem()[1])

    def _kept_key(self, place: Place) -> bytes | None:
        """Return the key at a place; None unless all of it is kept. Most are, and no task is made for them."""
        key = b""
        for name, piece in _pieces(place):
            if name not in self._kept:
                return None
            self._kept.move_to_end(name)
            key += self._kept[name][piece.start : piece.stop]
        return key

    async def _read_key(self, place: Place) -> bytes:
        return b"".join(await asyncio.gather(*(self._piece(name, piece) for name, piece in _pieces(place))))

    async def _piece(self, name: _Name, piece: Piece) -> bytes:
        if chunk := self._kept.get(name):
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


def _pieces(place: Place) -> Iterator[tuple[_Name, Piece]]:
    n = index_of(place.lane, place.run)
    return (((place.epoch, n, piece.chunk), piece) for piece in pieces_of(place.slot, place.size))
