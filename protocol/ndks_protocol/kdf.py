# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""HMAC-SHA256 (RFC 2104), key derivation (PROTOCOL.md section 1), and AES-256-CTR from any offset.

The board has no `hmac` module.
"""

import struct

_HASH_BLOCK = 64
_AES_BLOCK = 16


class Hash:
    """The interface of a running SHA-256."""

    def update(self, data: "bytes | bytearray | memoryview") -> None:
        raise NotImplementedError

    def digest(self) -> bytes:
        raise NotImplementedError


class Crypto:
    """The cryptographic primitives of the platform."""

    def sha256(self) -> Hash:
        """Return a new SHA-256 object."""
        raise NotImplementedError

    def aes_ctr(self, key: "bytes | bytearray", iv: "bytes | bytearray", buffer: "bytearray | memoryview") -> None:
        """Encrypt whole blocks in place with AES-256 in counter mode."""
        raise NotImplementedError

    def forget_key(self) -> None:
        """Overwrite the key of the latest `aes_ctr`, if the platform keeps it."""

    def xor(self, buffer: "bytearray | memoryview", other: "bytes | bytearray | memoryview") -> None:
        """XOR `buffer` in place with `other`, which has the same size. Big integers are faster than a loop.

        This takes heap for a copy of the buffer. A unit passes at most `Board.block` bytes.
        """
        mixed = int.from_bytes(buffer, "big") ^ int.from_bytes(other, "big")
        buffer[:] = mixed.to_bytes(len(buffer), "big")


class Mac:
    """HMAC-SHA256 under one key of at most 64 bytes, with both padded keys precomputed."""

    def __init__(self, crypto: Crypto, key: "bytes | bytearray"):
        if len(key) > _HASH_BLOCK:
            raise ValueError("key longer than a block")
        self._crypto = crypto
        self._inner_key = bytearray(b"\x36" * _HASH_BLOCK)
        self._outer_key = bytearray(b"\x5c" * _HASH_BLOCK)
        crypto.xor(memoryview(self._inner_key)[: len(key)], key)
        crypto.xor(memoryview(self._outer_key)[: len(key)], key)

    def digest(self, *parts: "bytes | bytearray | memoryview") -> bytes:
        """Return the 32-byte code of the concatenated parts."""
        inner = self._crypto.sha256()
        inner.update(self._inner_key)
        for part in parts:
            inner.update(part)
        outer = self._crypto.sha256()
        outer.update(self._outer_key)
        outer.update(inner.digest())
        return outer.digest()

    def wipe(self) -> None:
        """Overwrite the key."""
        wipe(self._inner_key)
        wipe(self._outer_key)


def wipe(buffer: "bytearray | memoryview") -> None:
    """Overwrite a key with zeros."""
    for position in range(len(buffer)):
        buffer[position] = 0


def derive(crypto: Crypto, key: "bytes | bytearray | Mac", label: str, context: bytes) -> bytes:
    """Return the 32-byte key derived from `key` for this label and context. A Mac of a key is faster than the key."""
    mac = key if isinstance(key, Mac) else Mac(crypto, key)
    return mac.digest(label.encode() + b"\0", context)


def same(first: bytes, second: bytes) -> bool:
    """Compare two secrets in time that does not depend on where they differ."""
    difference = len(first) ^ len(second)
    for position in range(min(len(first), len(second))):
        difference |= first[position] ^ second[position]
    return difference == 0


def xor_keystream(crypto: Crypto, key: "bytes | bytearray", offset: int, data: "bytearray | memoryview") -> None:
    """XOR `data` in place with the AES-256-CTR keystream from byte `offset` on.

    AES gets whole blocks only: the board's implementation discards the rest of a partly used block. Blocks that `data`
    covers in part are encrypted apart, so that no copy of `data` is needed.
    """
    view = memoryview(data)
    size = len(view)
    start = min(-offset % _AES_BLOCK, size)
    end = size - (size - start) % _AES_BLOCK
    if start:
        _xor_part(crypto, key, offset, view[:start])
    if start < end:
        crypto.aes_ctr(key, _counter(offset + start), view if end - start == size else view[start:end])
    if end < size:
        _xor_part(crypto, key, offset + end, view[end:])


def _xor_part(crypto: Crypto, key: "bytes | bytearray", offset: int, part: memoryview) -> None:
    """XOR a part of one block in place."""
    block = memoryview(bytearray(_AES_BLOCK))
    skip = offset % _AES_BLOCK
    block[skip : skip + len(part)] = part
    crypto.aes_ctr(key, _counter(offset), block)
    part[:] = block[skip : skip + len(part)]


def _counter(offset: int) -> bytes:
    return struct.pack(">QQ", 0, offset // _AES_BLOCK)
