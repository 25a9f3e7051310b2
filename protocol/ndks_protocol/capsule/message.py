# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The chunks of a capsule (PROTOCOL.md section 4), made and opened one after another in constant memory.

chunk i = c || HMAC(tag key, i u32 || last u8 || c)[:16]     c = C[1024 i : 1024 i + 1024]
"""

import struct

from ndks_protocol import errors
from ndks_protocol.kdf import Crypto, Mac, same

from .keys import CHECK_SIZE, SYNC_SIZE, Keys

CHUNK = 1024  # bytes of C in a chunk; the last one has 1 to so many
TAG_SIZE = 16
FIRST_PIECE = CHUNK - SYNC_SIZE  # bytes of data that go into chunk 0; CHUNK into the others

_MAX_NUMBER = (1 << 32) - 1


class Sealer:
    """Makes the chunks of one message. The same piece twice is harmless; another under the same number must not be."""

    def __init__(self, crypto: Crypto, keys: Keys):
        self._keys = keys
        self._mac = Mac(crypto, keys.tag_key)

    def seal(self, number: int, last: int, data: bytes) -> bytes:
        """Return the chunk that carries piece `number` of the data, with `last` perhaps one more.

        Pieces have FIRST_PIECE, then CHUNK bytes, the last 0 to that.
        """
        offset = CHUNK * number
        text = bytearray(self._keys.sync) + data if number == 0 else bytearray(data)
        end = offset + len(text)
        body = self._keys.apply(offset, text)
        if last:
            body += self._keys.apply(end, bytearray(self._keys.check(end - SYNC_SIZE)))
            if len(body) > CHUNK:
                return self._chunk(number, 0, bytes(body[:CHUNK])) + self._chunk(number + 1, 1, bytes(body[CHUNK:]))
        return self._chunk(number, last, bytes(body))

    def _chunk(self, number: int, last: int, body: bytes) -> bytes:
        return body + _tag(self._mac, number, last, body)


class Opener:
    """Opens the chunks of one message, in order."""

    def __init__(self, crypto: Crypto, keys: Keys):
        self._keys = keys
        self._mac = Mac(crypto, keys.tag_key)
        self._next = 0
        self._sync = b""
        self._held_back = b""  # it is the check value if nothing follows

    def open(self, number: int, last: int, chunk: bytes) -> bytes:
        """Return the data that this chunk completes.

        UnitError CONFLICT: another chunk is next; AUTH: not a chunk as it was sealed; with the last, DIVERGED: not the
        key that it was sealed with; BINDING: another sender than the one that is known.
        """
        if number != self._next:
            raise errors.UnitError(errors.CONFLICT)
        body = self._verified(number, last, chunk)
        text = self._keys.apply(CHUNK * number, bytearray(body))
        start = 0
        if number == 0:
            self._sync = bytes(text[:SYNC_SIZE])
            start = SYNC_SIZE
        text = self._held_back + text[start:]
        self._held_back = bytes(text[-CHECK_SIZE:])
        self._next += 1
        if last:
            self._next = -1  # nothing follows
            self._check_end(CHUNK * number + len(body) - SYNC_SIZE - CHECK_SIZE)
        return bytes(text[:-CHECK_SIZE])

    def _verified(self, number: int, last: int, chunk: bytes) -> bytes:
        body = chunk[:-TAG_SIZE]
        smallest = (SYNC_SIZE + CHECK_SIZE if number == 0 else 1) if last else CHUNK
        if not smallest <= len(body) <= CHUNK or last > 1:
            raise errors.UnitError(errors.AUTH)
        if not same(_tag(self._mac, number, last, body), chunk[-TAG_SIZE:]):
            raise errors.UnitError(errors.AUTH)
        return body

    def _check_end(self, size: int) -> None:
        if not same(self._held_back, self._keys.check(size)):
            raise errors.UnitError(errors.DIVERGED)
        if self._keys.sync and not same(self._sync, self._keys.sync):
            raise errors.UnitError(errors.BINDING)


def _tag(mac: Mac, number: int, last: int, body: bytes) -> bytes:
    if number > _MAX_NUMBER:
        raise errors.UnitError(errors.RANGE)
    return mac.digest(struct.pack(">IB", number, last), body)[:TAG_SIZE]
