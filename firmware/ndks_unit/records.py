# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Records in flash, one by one (PROTOCOL.md section 7).

record: type u8 (FF = blank) | size u16 | sequence number u32 | 00 | tag 16 | body, padded with 00 to 16 bytes
plain record, type F0 to FE: tag = SHA-256(first 8 bytes || body)[:16]
"""

import struct
from collections import namedtuple

from ndks_protocol.flash import NVM_SIZE
from ndks_protocol.kdf import Crypto

# Types of records, all plain until bindings exist
STATE_FORMAT = 0xF0
MEMBERSHIP = 0xF3
EXPORT_COUNTER = 0xF4
OWN_NUMBERS = 0xF5
MEMBER_IDS = 0xF6
WINDOW = 0xF7  # one for each lane, with which its body begins

CURRENT_FORMAT = 2  # of all records; a unit reads older ones; it reads that of a newer one and changes nothing
COUNTERS = (EXPORT_COUNTER,)  # their body ends with a u64; a tail of FF follows, each byte programmed to 00 adds one
SIZE = NVM_SIZE - 32  # the last 32 bytes of nvm stay free for the marker of an erasure

# A record in flash. `tail`: where the free bytes of a counter's tail start and end
Record = namedtuple("Record", ("sequence", "body", "tail"))

_TAIL = 64
_ALIGNMENT = 16
_HEADER = ">BHIB"
_HEADER_SIZE = 8
_BODY = 24  # offset of the body
_BLANK = 0xFF


def encode(crypto: Crypto, kind: int, body: bytes, sequence: int) -> bytes:
    """Return a record, without the tail of a counter."""
    header = struct.pack(_HEADER, kind, len(body), sequence, 0)
    record = header + _tag(crypto, header, body) + body
    return record + bytes(-len(record) % _ALIGNMENT)


def scan(crypto: Crypto, image: bytes, with_tails: bool) -> tuple:
    """Return the newest records of an image, by key, and where its last valid one ends.

    Steps are counted in the tails of nvm only: behind a snapshot's record that was torn lie bytes of an older one.
    """
    records = {}
    offset = end = 0
    limit = min(len(image), SIZE)  # a file may have been cut short
    while offset + _BODY <= limit:
        kind, size, sequence, zero = struct.unpack_from(_HEADER, image, offset)
        if not 0xF0 <= kind < _BLANK or zero or offset + extent(kind, size) > limit:
            offset += _ALIGNMENT
            continue
        header = image[offset : offset + _HEADER_SIZE]
        body = image[offset + _BODY : offset + _BODY + size]
        if _tag(crypto, header, body) != image[offset + _HEADER_SIZE : offset + _BODY]:
            offset += _ALIGNMENT
            continue
        offset = end = offset + extent(kind, size)
        tail = end
        if kind in COUNTERS and with_tails:
            # A byte that a power cut left half programmed counts: an index is rather burnt than given twice.
            steps = len(image[end - _TAIL : end].rstrip(b"\xff"))
            body = counted(body, steps)
            tail = end - _TAIL + steps
        merge(records, {key_of(kind, body): Record(sequence, body, (tail, end))})
    return records, end


def merge(records: dict, others: dict) -> None:
    """Let the higher sequence number win; of a record and its copy in a snapshot, the one in nvm, which counts on."""
    for key, record in others.items():
        if key not in records or record.sequence >= records[key].sequence:
            records[key] = record


def key_of(kind: int, body: bytes) -> int:
    """Return what tells the records that replace one another: their type, for windows with the lane."""
    return window_key(body[0] << 8 | body[1]) if kind == WINDOW else kind


def window_key(lane: int) -> int:
    return lane << 8 | WINDOW


def kind_of(key: int) -> int:
    return key & 0xFF


def extent(kind: int, size: int) -> int:
    """Return the bytes from the start of a record to the next one, the tail of a counter included."""
    return round_up(_BODY + size) + (_TAIL if kind in COUNTERS else 0)


def round_up(size: int) -> int:
    """Return where the next record may start."""
    return size + -size % _ALIGNMENT


def counted(body: bytes, steps: int) -> bytes:
    """Return the body of a counter that has gone on by so many steps."""
    return body[:-8] + struct.pack(">Q", struct.unpack(">Q", body[-8:])[0] + steps)


def _tag(crypto: Crypto, header: bytes, body: bytes) -> bytes:
    digest = crypto.sha256()
    digest.update(header)
    digest.update(body)
    return digest.digest()[:16]
