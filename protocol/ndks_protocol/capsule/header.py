# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The masked header of a capsule: its sender and message number, readable by members of the network only.

clear: version = 1 | suite | cipher | 4 * high bits of the number of the epoch + kind | its low 8 bits, u8 each
       | key index u64 | salt 8
wire:  version | tag T = HMAC(header mac key, clear)[:16] | clear[1:21] XOR CTR(header mask key, T)
"""

import struct

from ndks_protocol import errors
from ndks_protocol.kdf import Crypto, Mac, derive, same, wipe
from ndks_protocol.wire import (
    CIPHERS,
    COMMON_LANE,
    DATA,
    HYBRID,
    INDEX_BITS,
    KINDS,
    MAX_NUMBER,
    OF_CONTROL,
    VERNAM,
    WIRE_HEADER_SIZE,
)

VERSION = 1
SALT_SIZE = 8

_KEY_SIZE = 32

_CLEAR = ">BBBBBQ8s"
_TAG_END = 17
_MASKED_SIZE = WIRE_HEADER_SIZE - _TAG_END


class Header:
    """An unmasked header. `epoch` is the number of the epoch in its generation.

    UnitError(HEADER): a field has an invalid value. In every network, control has suite hybrid, cipher vernam, and no
    epoch.
    """

    def __init__(self, clear: bytes):
        self.clear = clear
        _, self.suite, self.cipher, high, low, self.index, self.salt = struct.unpack(_CLEAR, clear)
        self.kind = high % KINDS
        self.epoch = high // KINDS << 8 | low
        self.lane = self.index >> INDEX_BITS
        self.number = self.index & MAX_NUMBER
        known = self.cipher < len(CIPHERS)
        if self.kind == OF_CONTROL:
            known = (self.suite, self.cipher, self.epoch) == (HYBRID, VERNAM, 0)
        if not known or self.lane == COMMON_LANE or self.number == 0:
            raise errors.UnitError(errors.HEADER)

    @classmethod
    def new(
        cls, suite: int, cipher: int, lane: int, number: int, salt: bytes, kind: int = DATA, epoch: int = 0
    ) -> "Header":
        """Return the header of a message."""
        high, low = epoch >> 8, epoch & 0xFF
        index = lane << INDEX_BITS | number
        return cls(struct.pack(_CLEAR, VERSION, suite, cipher, high * KINDS + kind, low, index, salt))

    def check(self, suite: int, own_lane: int) -> None:
        """Check suite and sender against those of the opener. UnitError SUITE, REFLECTED."""
        if self.suite != suite and self.kind != OF_CONTROL:
            raise errors.UnitError(errors.SUITE)
        if self.lane == own_lane:
            raise errors.UnitError(errors.REFLECTED)


class HeaderKeys:
    """Header protection for one generation, in the manner of QUIC (RFC 9001, section 5.4), by its `header_keys`."""

    def __init__(self, crypto: Crypto, keys: "bytes | bytearray | memoryview"):
        self._crypto = crypto
        self._mac = Mac(crypto, keys[:_KEY_SIZE])
        self._mask_key = bytearray(keys[_KEY_SIZE:])

    def wipe(self) -> None:
        """Overwrite both keys."""
        self._mac.wipe()
        wipe(self._mask_key)

    def mask(self, header: Header) -> bytes:
        """Return the masked header."""
        tag = self._tag(header.clear)
        return header.clear[:1] + tag + self._masked(tag, header.clear[1:])

    def unmask(self, wire: bytes) -> Header:
        """Return the header for the first 37 bytes of a capsule. UnitError VERSION, HEADER."""
        check_wire_header(wire)
        tag = wire[1:_TAG_END]
        clear = wire[:1] + self._masked(tag, wire[_TAG_END:])
        if not same(tag, self._tag(clear)):
            raise errors.UnitError(errors.HEADER)
        return Header(clear)

    def _tag(self, clear: bytes) -> bytes:
        return self._mac.digest(clear)[: _TAG_END - 1]

    def _masked(self, tag: bytes, data: bytes) -> bytes:
        blocks = bytearray(32)
        blocks[:_MASKED_SIZE] = data
        self._crypto.aes_ctr(self._mask_key, tag, blocks)
        return bytes(blocks[:_MASKED_SIZE])


def header_keys(crypto: Crypto, secret: "bytes | bytearray | Mac") -> bytes:
    """Return the key of the tags and the key of the masks of a generation, from its first secret: 64 bytes."""
    return derive(crypto, secret, "ndks header mac", b"") + derive(crypto, secret, "ndks header mask", b"")


def check_wire_header(wire: bytes) -> None:
    """Check the version and the size, which need no key. UnitError VERSION, HEADER."""
    if wire and wire[0] != VERSION:
        raise errors.UnitError(errors.CAPSULE_VERSION)
    if len(wire) != WIRE_HEADER_SIZE:
        raise errors.UnitError(errors.HEADER)
