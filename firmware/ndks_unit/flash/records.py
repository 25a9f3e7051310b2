# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Encoding of a single record in flash (PROTOCOL.md section 7).

record: type u8 (FF = blank) | size u16 | sequence number u32 | 00 | tag 16 | body, padded with 00 to 16 bytes
"""

import struct

from ndks_protocol import errors
from ndks_protocol.flash import NVM_SIZE
from ndks_protocol.kdf import Crypto, Mac, derive, same, xor_keystream
from ndks_protocol.wire import MAX_SENDERS

# Sealed: encrypted and authenticated under the host's kek (01 to 7F)
MEMBERSHIP = 0x01
MEMBER_IDS = 0x02
WINDOWS = 0x10  # the first of MAX_SENDERS types, one per sender
GENERATION = 0x20
PAST = 0x21
FIRST_KEY = 0x22
# Open: authenticated, and readable without a session (80 to EF)
EXPORT_COUNTER = 0x80
MESSAGE_COUNTER = 0x81
BOOTS = 0x82
WRONG_ATTEMPTS = 0x83
# Plain: with a SHA-256 checksum only (F0 to FE)
STATE_FORMAT = 0xF0
ERASING = 0xF1
TAMPERED = 0xF2
JOINING_KEY = 0xF3
BINDING = 0xFE

CURRENT_FORMAT = 4  # the unit does not change state in another format
OLDEST_FORMAT = 3  # except this one, which has no generations: it becomes the current one when nvm is rewritten
WINDOW_KINDS = tuple(range(WINDOWS, WINDOWS + MAX_SENDERS))
# In the order of an image. JOINING_KEY is in none: whatever rewrites nvm erases it.
SEALED = (MEMBERSHIP, MEMBER_IDS) + WINDOW_KINDS + (GENERATION, PAST, FIRST_KEY)
OPEN = (EXPORT_COUNTER, MESSAGE_COUNTER, BOOTS, WRONG_ATTEMPTS)
PLAIN = (STATE_FORMAT, TAMPERED, BINDING)
COUNTERS = (EXPORT_COUNTER, BOOTS)  # the body ends with a u64; each programmed byte of the tail of FF adds one
SIZE = NVM_SIZE - 32  # the last 32 bytes of nvm are reserved for the marker of an erasure
FIRST = struct.pack(">Q", 1)  # the body of a new counter
ALIGNMENT = 16
TAIL = 64
TAG = 8  # offset of the tag, after the header
BODY = TAG + 16  # offset of the body
LARGEST_BODY = 240  # of a membership; a header with a larger size is torn
LARGEST_GENERATION = 413  # with 96 revoked lanes
LARGEST_PAST = 636  # with 6 generations

_KINDS = frozenset(SEALED + OPEN + PLAIN + (JOINING_KEY,))
_SIZES = {
    EXPORT_COUNTER: 12,
    MESSAGE_COUNTER: 12,
    FIRST_KEY: 35,
    BOOTS: 8,
    WRONG_ATTEMPTS: 4,
    TAMPERED: 1,
    JOINING_KEY: 64,
    BINDING: 66,
}  # if fixed
_LARGEST = {GENERATION: LARGEST_GENERATION, PAST: LARGEST_PAST}
_HIGHEST_SEQUENCE = 0xFFFF0000  # more records than flash endures
_HIGHEST_COUNT = (1 << 64) - 1
_HEADER = ">BHIB"


class RecordKeys:
    """The keys of records: none for plain ones, `auth` of the binding for open ones, `kek` for sealed ones."""

    def __init__(self, crypto: Crypto):
        self._crypto = crypto
        self._log: "Mac | None" = None
        self._seal_tag: "Mac | None" = None
        self._seal_key: "Mac | None" = None

    def set_auth(self, auth: bytes) -> None:
        """Set the key of open records."""
        self._log = Mac(self._crypto, auth)

    def set_kek(self, kek: bytes) -> None:
        """Set the keys of sealed records."""
        self._seal_tag = Mac(self._crypto, derive(self._crypto, kek, "ndks seal mac", b""))
        self._seal_key = Mac(self._crypto, derive(self._crypto, kek, "ndks seal enc", b""))

    @property
    def complete(self) -> bool:
        """Whether the keys of all types of records are set."""
        return self._seal_key is not None

    def wipe(self) -> None:
        """Overwrite the keys of sealed records."""
        if self._seal_tag and self._seal_key:
            self._seal_tag.wipe()
            self._seal_key.wipe()
        self._seal_tag = self._seal_key = None

    def encode(self, kind: int, body: "bytes | bytearray | memoryview", sequence: int) -> bytearray:
        """Return an encoded record, without the tail of a counter."""
        record = bytearray(round_up(BODY + len(body)))
        self.encode_into(memoryview(record), kind, body, sequence)
        return record

    def encode_into(
        self, view: memoryview, kind: int, body: "bytes | bytearray | memoryview", sequence: int
    ) -> memoryview:
        """Write an encoded record to the start of `view`, and return that part."""
        end = BODY + len(body)
        size = round_up(end)
        struct.pack_into(_HEADER, view, 0, kind, len(body), sequence, 0)
        tag = self._tag(kind, view[:TAG], body)
        view[TAG:BODY] = tag
        view[BODY:end] = body
        view[end:size] = bytes(size - end)
        if kind in SEALED:
            xor_keystream(self._crypto, self._key_for(tag), 0, view[BODY:end])
        return view[:size]

    def decode(self, record: bytes) -> "bytes | bytearray | None":
        """Return the body of a record, or None if its tag is wrong or its key is not set."""
        kind, size, _, _ = struct.unpack_from(_HEADER, record, 0)
        if (kind in SEALED and not self._seal_key) or (kind in OPEN and not self._log):
            return None
        tag = record[TAG:BODY]
        body = record[BODY : BODY + size]
        if kind in SEALED:
            body = bytearray(body)
            xor_keystream(self._crypto, self._key_for(tag), 0, body)
        return body if same(self._tag(kind, record[:TAG], body), tag) else None

    def _tag(self, kind: int, header: "bytes | memoryview", body: "bytes | bytearray | memoryview") -> bytes:
        if kind in SEALED and self._seal_tag:
            digest = self._seal_tag.digest(header, body)  # a synthetic IV: two bodies never share a keystream
        elif kind in OPEN and self._log:
            digest = self._log.digest(b"ndks log\0", header, body)
        elif kind in SEALED or kind in OPEN:
            raise errors.UnitError(errors.LOCKED)
        else:
            plain = self._crypto.sha256()
            plain.update(header)
            plain.update(body)
            digest = plain.digest()
        return digest[: BODY - TAG]

    def _key_for(self, tag: bytes) -> bytes:
        return self._seal_key.digest(tag) if self._seal_key else b""


def plausible(image: "bytes | bytearray", offset: int) -> "tuple[int, int, int] | None":
    """Return type, size and sequence number of the header at this offset, or None if it is not valid."""
    if image[offset] not in _KINDS:
        return None
    kind, size, sequence, zero = struct.unpack_from(_HEADER, image, offset)
    wrong = (
        zero
        or size > _LARGEST.get(kind, LARGEST_BODY)
        or size != _SIZES.get(kind, size)
        or sequence > _HIGHEST_SEQUENCE
    )
    return None if wrong or offset + extent(kind, size) > SIZE else (kind, size, sequence)


def extent(kind: int, size: int) -> int:
    """Return the size of a record in flash, with padding and the tail of a counter."""
    return round_up(BODY + size) + (TAIL if kind in COUNTERS else 0)


def round_up(size: int) -> int:
    """Round a size up to a multiple of ALIGNMENT."""
    return size + -size % ALIGNMENT


def counter_value(body: "bytes | bytearray | None") -> int:
    """Return the value of a counter, 0 without a record."""
    return struct.unpack(">Q", body[-8:])[0] if body else 0


def counted(body: "bytes | bytearray", steps: int) -> "bytes | bytearray":
    """Return the body of a counter after `steps` more steps."""
    return body[:-8] + struct.pack(">Q", min(counter_value(body) + steps, _HIGHEST_COUNT))
