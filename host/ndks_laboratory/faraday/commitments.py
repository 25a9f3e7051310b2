# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commitments to keys and texts, by which the records of two laptops are compared.

    of a key     HMAC-SHA256(salt, "ndks faraday key" || 00 || index u64 || bits u64 || key)
    of a text    HMAC-SHA256(A, "ndks faraday text" || 00 || salt || text || size u64)
    of a record  HMAC-SHA256(A, "ndks faraday record" || 00 || canonical JSON)        A: one more exported key, 256 bits

The expert generates one salt for both records. It is not secret. It binds the records to one run: a record of an
earlier run cannot be replayed, and a precomputed table of commitments is useless. It does not hide the keys: a guessed
key can be tested against its commitment, so hiding rests on the entropy of the key. In suite `hybrid` that is the
entropy of the network's secret. In suite `paper`, at d = 3, about 25 bits (the angular frequency) determine a key of
256 bits, and an exhaustive search finds them: such a record is as secret as the keys. A text can often be guessed in
either suite; therefore its commitment uses a key that only members of the network have.
"""

import hmac
import struct
from collections.abc import Iterable
from hashlib import sha256

from ndks.files import Source

SALT_SIZE = 16
KEY_BITS = 256  # of the authentication key
_KEY, _TEXT, _RECORD = b"ndks faraday key\0", b"ndks faraday text\0", b"ndks faraday record\0"
_MUCH = 1 << 16


def of_key(salt: bytes, index: int, bits: int, blocks: Iterable[bytes]) -> str:
    """Return the commitment to a key given in blocks, in hex."""
    mac = hmac.new(salt, _KEY + struct.pack(">QQ", index, bits), sha256)
    for block in blocks:
        mac.update(block)
    return mac.hexdigest()


def of_record(key: bytes, canonical: bytes) -> str:
    """Return the tag of a record, in hex."""
    return hmac.digest(key, _RECORD + canonical, "sha256").hex()


class TextCommitment:
    """A source that computes the commitment to the text read from it."""

    def __init__(self, key: bytes, salt: bytes, source: Source) -> None:
        self.size = 0
        self._source = source
        self._mac = hmac.new(key, _TEXT + salt, sha256)

    def read(self, size: int, /) -> bytes | None:
        """Return the next bytes of the source."""
        data = self._source.read(size)
        self._mac.update(data or b"")
        self.size += len(data or b"")
        return data

    def value(self) -> str:
        """Return the commitment to the bytes read so far, in hex."""
        mac = self._mac.copy()
        mac.update(struct.pack(">Q", self.size))
        return mac.hexdigest()


def of_text(key: bytes, salt: bytes, source: Source) -> str:
    """Return the commitment to the whole content of a source, in hex."""
    text = TextCommitment(key, salt, source)
    while text.read(_MUCH):
        pass
    return text.value()
