# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""HMAC-SHA256 (RFC 2104), the key derivation of PROTOCOL.md section 1, AES-256 in counter mode from any byte on.

The board has no `hmac` module.
"""

import struct

_HASH_BLOCK = 64
_AES_BLOCK = 16


class Hash:
    """A running SHA-256: any object with these two methods."""

    def update(self, data: bytes) -> None:
        raise NotImplementedError

    def digest(self) -> bytes:
        raise NotImplementedError


class Crypto:
    """The primitives that the platform provides."""

    def sha256(self) -> Hash:
        """Return a new SHA-256."""
        raise NotImplementedError

    def aes_ctr(self, key: bytes, iv: bytes, buffer: bytearray) -> None:
        """XOR whole blocks in place with AES-256 in counter mode."""
        raise NotImplementedError


class Mac:
    """HMAC-SHA256 under one key of at most 64 bytes, which all of ours are; both padded keys are made once."""

    def __init__(self, crypto: Crypto, key: bytes):
        if len(key) > _HASH_BLOCK:
            raise ValueError("key longer than a block")
        padded = key + bytes(_HASH_BLOCK - len(key))
        self._crypto = crypto
        self._inner_key = bytes([byte ^ 0x36 for byte in padded])
        self._outer_key = bytes([byte ^ 0x5C for byte in padded])

    def digest(self, *parts: bytes) -> bytes:
        """Return the 32 bytes for the message that the parts make, one after another."""
        inner = self._crypto.sha256()
        inner.update(self._inner_key)
        for part in parts:
            inner.update(part)
        outer = self._crypto.sha256()
        outer.update(self._outer_key)
        outer.update(inner.digest())
        return outer.digest()


def derive(crypto: Crypto, key: bytes, label: str, context: bytes) -> bytes:
    """Return the 32-byte key that `key` gives for this label and context."""
    return Mac(crypto, key).digest(label.encode() + b"\0", context)


def same(first: bytes, second: bytes) -> bool:
    """Compare in a time that does not tell where two secrets differ."""
    difference = len(first) ^ len(second)
    for a, b in zip(first, second):
        difference |= a ^ b
    return difference == 0


def xor_keystream(crypto: Crypto, key: bytes, offset: int, data: bytearray) -> bytearray:
    """Return `data`, bytes of a stream from `offset` on, XOR AES-256-CTR counted from block 0; may change `data`.

    AES is always given whole blocks from a block's start: the board's throws the rest of a begun block away.
    """
    skip = offset % _AES_BLOCK
    size = skip + len(data)
    iv = struct.pack(">QQ", 0, offset // _AES_BLOCK)
    if size == len(data) and size % _AES_BLOCK == 0:
        crypto.aes_ctr(key, iv, data)
        return data
    padded = bytearray(size + -size % _AES_BLOCK)
    padded[skip:size] = data
    crypto.aes_ctr(key, iv, padded)
    return padded[skip:size]
