# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""HMAC-SHA256 (RFC 2104) and the key derivation of PROTOCOL.md section 1.

The board has no `hmac` module. `crypto` is anything with `sha256()`, which returns an object with `update` and `digest`.
"""

_BLOCK = 64


def hmac_sha256(crypto, key: bytes, message: bytes) -> bytes:
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


def derive(crypto, key: bytes, label: str, context: bytes) -> bytes:
    """Return the 32-byte key that `key` gives for this label and context."""
    return hmac_sha256(crypto, key, label.encode() + b"\0" + context)
