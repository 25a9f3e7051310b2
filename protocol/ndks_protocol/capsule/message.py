# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The chunks of a capsule (PROTOCOL.md section 4), made and opened one after another in constant memory.

chunk i = c || HMAC(tag key, i u32 || last u8 || c)[:16]     c = C[1024 i : 1024 i + 1024]
"""

import struct

from ndks_protocol import commands, errors
from ndks_protocol.kdf import Crypto, Mac, same

from .keys import CHECK_SIZE, SYNC_SIZE, Keys

CHUNK = commands.MAX_CHUNK  # bytes of C in a chunk; the last one has 1 to so many
TAG_SIZE = 16
FIRST_PIECE = CHUNK - SYNC_SIZE  # bytes of data that go into chunk 0; CHUNK into the others

LARGEST_PIECE = CHUNK + SYNC_SIZE + CHECK_SIZE + 2 * TAG_SIZE  # room for all that a piece or a chunk becomes

_MAX_NUMBER = (1 << 32) - 1


class Sealer:
    """Makes the chunks of one message. The same piece twice is harmless; another under the same number must not be."""

    def __init__(self, crypto: Crypto, keys: Keys):
        self._keys = keys
        self._mac = Mac(crypto, keys.tag_key)

    def seal(self, number: int, last: int, data: "bytes | memoryview") -> bytes:
        """Return the chunk that carries piece `number` of the data, with `last` perhaps one more.

        Pieces have FIRST_PIECE, then CHUNK bytes, the last 0 to that.
        """
        view = memoryview(bytearray(LARGEST_PIECE))
        return bytes(view[: self.seal_into(view, number, last, data)])

    def seal_into(self, view: memoryview, number: int, last: int, data: "bytes | memoryview") -> int:
        """Write what `seal` returns to `view`, which has LARGEST_PIECE bytes, and return how many those are."""
        start = SYNC_SIZE if number == 0 else 0
        end = start + len(data)
        offset = CHUNK * number
        view[:start] = self._keys.sync[:start]
        view[start:end] = data
        view[:end] = self._keys.apply(offset, view[:end])
        if last:
            view[end : end + CHECK_SIZE] = self._keys.check(offset + end - SYNC_SIZE)
            view[end : end + CHECK_SIZE] = self._keys.apply(offset + end, view[end : end + CHECK_SIZE])
            end += CHECK_SIZE
            if end > CHUNK:
                rest = bytes(view[CHUNK:end])
                end = self._add_tag(view, 0, number, 0, CHUNK)
                view[end : end + len(rest)] = rest
                return self._add_tag(view, end, number + 1, 1, len(rest))
        return self._add_tag(view, 0, number, last, end)

    def wipe(self) -> None:
        """Overwrite the key of the tags."""
        self._mac.wipe()

    def _add_tag(self, view: memoryview, start: int, number: int, last: int, size: int) -> int:
        """Write the tag of a chunk behind it, and return where that ends."""
        end = start + size
        view[end : end + TAG_SIZE] = _tag(self._mac, number, last, view[start:end])
        return end + TAG_SIZE


class Opener:
    """Opens the chunks of one message, in order."""

    def __init__(self, crypto: Crypto, keys: Keys):
        self._keys = keys
        self._mac = Mac(crypto, keys.tag_key)
        self._next = 0
        self._sync = b""
        self._held_back = b""  # it is the check value if nothing follows

    def open(self, number: int, last: int, chunk: "bytes | memoryview") -> bytes:
        """Return the data that this chunk completes.

        UnitError CONFLICT: another chunk is next; AUTH: not a chunk as it was sealed; with the last, DIVERGED: not the
        key that it was sealed with; BINDING: another sender than the one that is known.
        """
        return bytes(self.open_into(memoryview(bytearray(LARGEST_PIECE)), number, last, chunk))

    def open_into(self, view: memoryview, number: int, last: int, chunk: "bytes | memoryview") -> memoryview:
        """Do what `open` does in `view`, which has LARGEST_PIECE bytes, and return the part of it that is the data."""
        if number != self._next:
            raise errors.UnitError(errors.CONFLICT)
        body = self._verified(number, last, chunk)
        held = len(self._held_back)
        end = held + len(body)
        view[:held] = self._held_back
        view[held:end] = body
        view[held:end] = self._keys.apply(CHUNK * number, view[held:end])
        start = 0
        if number == 0:
            self._sync = bytes(view[:SYNC_SIZE])
            start = SYNC_SIZE
        end -= CHECK_SIZE
        self._held_back = bytes(view[end : end + CHECK_SIZE])
        self._next += 1
        if last:
            self._next = -1  # nothing follows
            self._check_end(CHUNK * number + len(body) - SYNC_SIZE - CHECK_SIZE)
        return view[start:end]

    def wipe(self) -> None:
        """Overwrite the key of the tags."""
        self._mac.wipe()

    def _verified(self, number: int, last: int, chunk: "bytes | memoryview") -> "bytes | memoryview":
        body = chunk[:-TAG_SIZE]
        smallest = (SYNC_SIZE + CHECK_SIZE if number == 0 else 1) if last else CHUNK
        if not smallest <= len(body) <= CHUNK or last > 1:
            raise errors.UnitError(errors.AUTH)
        if not same(_tag(self._mac, number, last, body), bytes(chunk[-TAG_SIZE:])):
            raise errors.UnitError(errors.AUTH)
        return body

    def _check_end(self, size: int) -> None:
        if not same(self._held_back, self._keys.check(size)):
            raise errors.UnitError(errors.DIVERGED)
        if self._keys.sync and not same(self._sync, self._keys.sync):
            raise errors.UnitError(errors.BINDING)


def _tag(mac: Mac, number: int, last: int, body: "bytes | memoryview") -> bytes:
    if number > _MAX_NUMBER:
        raise errors.UnitError(errors.RANGE)
    return mac.digest(struct.pack(">IB", number, last), body)[:TAG_SIZE]
