# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Fields sealed to the joining key of a unit (PROTOCOL.md section 6).

sealed = ephemeral public key 32 || c || tag 16      c = fields XOR CTR(encryption key, 16 zero bytes)
K      = derive(HMAC("ndks join", shared secret), "ndks join", ephemeral public key || joining key)

HMAC("ndks join", shared secret) is HKDF-Extract (RFC 5869). Both ends supply the shared secret of X25519: a board
computes it in steps, a PC with its cryptographic library.
"""

from .kdf import Crypto, Mac, derive, same, wipe, xor_keystream
from .session import PUBLIC_KEY_SIZE

TAG_SIZE = 16
OVERHEAD = PUBLIC_KEY_SIZE + TAG_SIZE

_SALT = b"ndks join"


class CutShort(ValueError):
    """A sealed package with fewer bytes than one without fields has."""


class NotForThisKey(ValueError):
    """A sealed package for another key, or one that was altered or cut: nothing tells these apart."""


def seal(crypto: Crypto, shared: bytes, ephemeral: bytes, recipient: bytes, fields: bytes) -> bytes:
    """Return the fields sealed to the public key `recipient`.

    `shared` is X25519 of `recipient` and the scalar of `ephemeral`, a public key that seals nothing else.
    """
    keys = _Keys(crypto, shared, ephemeral + recipient)
    ciphertext = bytearray(fields)
    xor_keystream(crypto, keys.encryption, 0, ciphertext)
    sealed = ephemeral + bytes(ciphertext) + keys.tag(ciphertext)
    keys.wipe()
    return sealed


def ephemeral_of(sealed: "bytes | memoryview") -> bytes:
    """Return the public key with which the recipient computes the shared secret. CutShort: there is none."""
    if len(sealed) < OVERHEAD:
        raise CutShort("the sealed package was cut short")
    return bytes(sealed[:PUBLIC_KEY_SIZE])


def unseal(crypto: Crypto, shared: bytes, recipient: bytes, sealed: "bytes | memoryview") -> "bytearray | memoryview":
    """Return the fields, which the caller wipes. CutShort; NotForThisKey: they were not sealed to `recipient`."""
    keys = _Keys(crypto, shared, ephemeral_of(sealed) + recipient)
    fields, tag = bytearray(sealed[PUBLIC_KEY_SIZE:-TAG_SIZE]), bytes(sealed[-TAG_SIZE:])
    try:
        if not same(keys.tag(fields), tag):
            raise NotForThisKey("the sealed package does not fit the key")
        xor_keystream(crypto, keys.encryption, 0, fields)
        return fields
    finally:
        keys.wipe()


class _Keys:
    """The two keys of a package."""

    def __init__(self, crypto: Crypto, shared: bytes, public_keys: bytes):
        extract = Mac(crypto, _SALT)
        key = derive(crypto, extract.digest(shared), "ndks join", public_keys)
        self.encryption = bytearray(derive(crypto, key, "ndks join enc", b""))
        self._mac = Mac(crypto, derive(crypto, key, "ndks join mac", b""))

    def tag(self, ciphertext: "bytes | bytearray") -> bytes:
        return self._mac.digest(ciphertext)[:TAG_SIZE]

    def wipe(self) -> None:
        wipe(self.encryption)
        self._mac.wipe()
