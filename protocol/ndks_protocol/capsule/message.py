# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Sealing and opening of the chunks of a capsule (PROTOCOL.md section 4), in order and in constant memory.

chunk i = c || HMAC(tag key, i u32 || last u8 || c)[:16]     c = C[1024 i : 1024 i + 1024]
"""

import struct

from ndks_protocol import errors, wire
from ndks_protocol.kdf import Crypto, Mac, same

from .keys import CHECK_SIZE, SYNC_SIZE, Keys

CHUNK = wire.MAX_CHUNK  # bytes of C in a chunk; the last chunk has 1 to CHUNK
TAG_SIZE = 16
FIRST_PIECE = CHUNK - SYNC_SIZE  # bytes of data in chunk 0; the others have CHUNK

LARGEST_PIECE = CHUNK + SYNC_SIZE + CHECK_SIZE + 2 * TAG_SIZE  # size of the buffer for one piece, sealed or open

_MAX_NUMBER = (1 << 32) - 1
_REPEATABLE = 8  # of the latest pieces of a message


class Sealer:
    """Sealer of the chunks of one message.

    Sealing the same piece twice is harmless. Never seal two different pieces under the same number.
    """

    def __init__(self, crypto: Crypto, keys: Keys):
        self._keys = keys
        self._mac = Mac(crypto, keys.tag_key)

    def seal(self, number: int, last: int, data: "bytes | memoryview") -> bytes:
        """Return the chunk for piece `number` of the data; the last piece may need two chunks.

        The first piece has FIRST_PIECE bytes, the others CHUNK; the last piece may be shorter or empty.
        """
        view = memoryview(bytearray(LARGEST_PIECE))
        return bytes(view[: self.seal_into(view, number, last, data)])

    def seal_into(self, view: memoryview, number: int, last: int, data: "bytes | memoryview") -> int:
        """Seal a piece as `seal` does into `view` (LARGEST_PIECE bytes), and return the number of bytes written."""
        start = SYNC_SIZE if number == 0 else 0
        end = start + len(data)
        offset = CHUNK * number
        view[:start] = self._keys.sync[:start]
        view[start:end] = data
        self._keys.apply(offset, view[:end])
        if last:
            view[end : end + CHECK_SIZE] = self._keys.check(offset + end - SYNC_SIZE)
            self._keys.apply(offset + end, view[end : end + CHECK_SIZE])
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
        """Append the tag to a chunk, and return the position after the tag."""
        end = start + size
        view[end : end + TAG_SIZE] = tag_of(self._mac, number, last, view[start:end])
        return end + TAG_SIZE


class Pieces:
    """The pieces of a message that is sealed for others: they come in order, and recent ones may be repeated.

    The same keystream must not go out with two texts. A piece with the number of an earlier one is sealed again, and
    goes out only if `proof` is the same: its chunks, or their tags, which authenticate its ciphertext.
    """

    def __init__(self):
        self._next = 0
        self._latest: list[tuple[int, int, int, bytes]] = []  # number, last, size and proof

    def check(self, number: int, last: int, size: int) -> bytes:
        """Return the earlier proof of this piece, b"" if it is the next one, which is not sealed yet.

        UnitError CONFLICT: it is neither, or has another size than before; RANGE: its size is wrong.
        """
        for piece in self._latest:
            if piece[0] == number:
                if piece[1] != last or piece[2] != size:
                    raise errors.UnitError(errors.CONFLICT)
                return piece[3]
        if number != self._next:
            raise errors.UnitError(errors.CONFLICT)
        full = FIRST_PIECE if number == 0 else CHUNK
        if last > 1 or size > full or (size < full and not last):
            raise errors.UnitError(errors.RANGE)
        return b""

    def note(self, number: int, last: int, size: int, before: bytes, proof: bytes) -> None:
        """Note a piece that was sealed after `check` returned `before`. UnitError CONFLICT: it must not go out."""
        if not before:
            self._latest = self._latest[1 - _REPEATABLE :] + [(number, last, size, proof)]
            self._next = -1 if last else number + 1
        elif proof != before:
            raise errors.UnitError(errors.CONFLICT)


class Opener:
    """Opener of the chunks of one message, in order."""

    def __init__(self, crypto: Crypto, keys: Keys):
        self._keys = keys
        self._mac = Mac(crypto, keys.tag_key)
        self._next = 0
        self._sync = b""
        self._held_back = b""  # the latest CHECK_SIZE bytes: the key check value, if the chunk is the last

    def open(self, number: int, last: int, chunk: "bytes | memoryview") -> bytes:
        """Return the data of this chunk, CHECK_SIZE bytes late.

        UnitError CONFLICT: the chunk is out of order. AUTH: the tag or the size is wrong. The last chunk only:
        DIVERGED: the key check value is wrong. BINDING: the sync word belongs to another binding.
        """
        return bytes(self.open_into(memoryview(bytearray(LARGEST_PIECE)), number, last, chunk))

    def open_into(self, view: memoryview, number: int, last: int, chunk: "bytes | memoryview") -> memoryview:
        """Open a chunk as `open` does in `view` (LARGEST_PIECE bytes), and return the part of `view` with the data."""
        if number != self._next:
            raise errors.UnitError(errors.CONFLICT)
        body = self._verified(number, last, chunk)
        held = len(self._held_back)
        end = held + len(body)
        view[:held] = self._held_back
        view[held:end] = body
        self._keys.apply(CHUNK * number, view[held:end])
        start = 0
        if number == 0:
            self._sync = bytes(view[:SYNC_SIZE])
            start = SYNC_SIZE
        end -= CHECK_SIZE
        self._held_back = bytes(view[end : end + CHECK_SIZE])
        self._next += 1
        if last:
            self._next = -1  # refuse further chunks
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
        if not same(tag_of(self._mac, number, last, body), bytes(chunk[-TAG_SIZE:])):
            raise errors.UnitError(errors.AUTH)
        return body

    def _check_end(self, size: int) -> None:
        if not same(self._held_back, self._keys.check(size)):
            raise errors.UnitError(errors.DIVERGED)
        if self._keys.sync and not same(self._sync, self._keys.sync):
            raise errors.UnitError(errors.BINDING)


def tag_of(mac: Mac, number: int, last: int, body: "bytes | memoryview") -> bytes:
    """Return the tag of a chunk. UnitError RANGE: the message is too long."""
    if number > _MAX_NUMBER:
        raise errors.UnitError(errors.RANGE)
    return mac.digest(struct.pack(">IB", number, last), body)[:TAG_SIZE]
