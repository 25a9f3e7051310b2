# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""HMAC-SHA256 (RFC 2104) and the key derivation of PROTOCOL.md section 1.

The board has no `hmac` module.
"""

_BLOCK = 64


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


def hmac_sha256(crypto: Crypto, key: bytes, message: bytes) -> bytes:
    """Return the 32 bytes of HMAC-SHA256 for keys of at most 64 bytes, which all of ours are."""
    if len(key) > _BLOCK:
        raise ValueError("key longer than a block")
    padded = key + bytes(_BLOCK - len(key))
    inner = crypto.sha256()
    inner.update(bytes([byte ^ 0x36 for byte in padded]))
    inner.update(message)
    outer = crypto.sha256()
    outer.update(bytes([byte ^ 0x5C for byte in padded]))
    outer.update(inner.digest())
    return outer.digest()


def derive(crypto: Crypto, key: bytes, label: str, context: bytes) -> bytes:
    """Return the 32-byte key that `key` gives for this label and context."""
    return hmac_sha256(crypto, key, label.encode() + b"\0" + context)
