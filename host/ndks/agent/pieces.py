# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packets in pieces, where the channel takes only small ones (PROTOCOL.md section 12).

piece    46 | SHA-256(packet)[:8] | part u16 | parts u16 | at most 1200 bytes
"""

import struct
from collections import OrderedDict
from hashlib import sha256

PIECE = 0x46
_HEAD = ">B8sHH"
_HEAD_SIZE = struct.calcsize(_HEAD)
_LONGEST = 1200
_ENTRY, _PART = 512, 64  # bytes that Python needs for a packet, and for a part of it, at most


def split(packet: bytes, size: int) -> list[bytes]:
    """Return a packet in pieces of at most `size` bytes of it, 1200 at most, or whole if it is short or `size` is 0."""
    size = min(size, _LONGEST)
    if not size or len(packet) <= size:
        return [packet]
    parts = [packet[at : at + size] for at in range(0, len(packet), size)]
    digest = sha256(packet).digest()[:8]
    return [struct.pack(_HEAD, PIECE, digest, part, len(parts)) + data for part, data in enumerate(parts)]


class _Unfinished:
    """A packet with parts still missing."""

    def __init__(self, parts: int) -> None:
        self.parts: list[bytes | None] = [None] * parts
        self.size = 0
        self.missing = parts

    def add(self, part: int, data: bytes) -> None:
        if self.parts[part] is None:
            self.parts[part] = data
            self.size += _PART + len(data)
            self.missing -= 1


class Assembly:
    """Packets whose pieces come in any order, some twice, some never.

    They take at most `most` bytes: the packet that has had no new piece for the longest time is given up first. A
    forged piece spoils its packet; whoever lacks it asks again.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._unfinished: OrderedDict[tuple[bytes, int], _Unfinished] = OrderedDict()

    def add(self, piece: bytes) -> bytes:
        """Return the packet that this piece completes, or b""."""
        if not _HEAD_SIZE < len(piece) <= _HEAD_SIZE + _LONGEST:
            return b""
        _, digest, part, parts = struct.unpack_from(_HEAD, piece)
        if part >= parts or parts < 2:
            return b""
        key = digest, parts
        unfinished = self._unfinished.get(key)
        if unfinished is None:
            unfinished = self._unfinished[key] = _Unfinished(parts)
            self._size += _cost(parts)
        self._unfinished.move_to_end(key)
        before = unfinished.size
        unfinished.add(part, piece[_HEAD_SIZE:])
        self._size += unfinished.size - before
        if not unfinished.missing:
            return self._whole(key)
        self._make_room()
        return b""

    def _whole(self, key: tuple[bytes, int]) -> bytes:
        packet = b"".join(part or b"" for part in self._remove(key).parts)
        return packet if sha256(packet).digest()[:8] == key[0] else b""

    def _make_room(self) -> None:
        while self._size > self._most and self._unfinished:
            self._remove(next(iter(self._unfinished)))

    def _remove(self, key: tuple[bytes, int]) -> _Unfinished:
        unfinished = self._unfinished.pop(key)
        self._size -= unfinished.size + _cost(len(unfinished.parts))
        return unfinished


def _cost(parts: int) -> int:
    """Return the bytes that a packet takes besides its parts: a forged piece may promise many, or be the only one."""
    return _ENTRY + 8 * parts
