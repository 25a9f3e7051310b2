# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commitments: records of two laptops are compared by them, without showing what they are made of.

    of a key     HMAC-SHA256(salt, "ndks faraday key" || 00 || index u64 || bits u64 || key)
    of a text    HMAC-SHA256(A, "ndks faraday text" || 00 || salt || text || size u64)
    of a record  HMAC-SHA256(A, "ndks faraday record" || 00 || canonical JSON)        A: one more exported key, 256 bits

The salt is drawn once, by the expert, and is no secret: it ties both records to one run, so that none of an earlier run
can be shown again, and a table of commitments made beforehand is worth nothing. It hides nothing: whoever can guess a
key can try the guess against its commitment. So hiding rests on the entropy of the key itself. In suite `hybrid` that
is that of the network's secret; in suite `paper` a key of 256 bits is determined by some 25 at d = 3 (its angular
frequency), which are found by trying: there a record is as secret as the keys. A text can often be guessed in
either suite; that is why its commitment is made under a key that only members of the network have.
"""

import hmac
import struct
from collections.abc import Iterable
from hashlib import sha256

from ndks.files import Source

SALT_SIZE = 16
KEY_BITS = 256  # of the key that authenticates
_KEY, _TEXT, _RECORD = b"ndks faraday key\0", b"ndks faraday text\0", b"ndks faraday record\0"
_MUCH = 1 << 16


def of_key(salt: bytes, index: int, bits: int, blocks: Iterable[bytes]) -> str:
    """Return the commitment of a key that comes in blocks, in hex."""
    mac = hmac.new(salt, _KEY + struct.pack(">QQ", index, bits), sha256)
    for block in blocks:
        mac.update(block)
    return mac.hexdigest()


def of_record(key: bytes, canonical: bytes) -> str:
    """Return what authenticates a record, in hex."""
    return hmac.digest(key, _RECORD + canonical, "sha256").hex()


class TextCommitment:
    """A source to read a text from, which commits itself to what was read."""

    def __init__(self, key: bytes, salt: bytes, source: Source) -> None:
        self.size = 0
        self._source = source
        self._mac = hmac.new(key, _TEXT + salt, sha256)

    def read(self, size: int, /) -> bytes | None:
        """Return what the source gives."""
        data = self._source.read(size)
        self._mac.update(data or b"")
        self.size += len(data or b"")
        return data

    def value(self) -> str:
        """Return the commitment of what was read, in hex."""
        mac = self._mac.copy()
        mac.update(struct.pack(">Q", self.size))
        return mac.hexdigest()


def of_text(key: bytes, salt: bytes, source: Source) -> str:
    """Return the commitment of all that a source holds, in hex."""
    text = TextCommitment(key, salt, source)
    while text.read(_MUCH):
        pass
    return text.value()
