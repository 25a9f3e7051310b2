# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""SHA-256, AES-CTR and X25519 on the host: for sessions, capsules in mode a, offline decryption and network ids."""

import hashlib
from collections.abc import Iterable
from typing import cast

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ndks_protocol.kdf import Crypto, Hash, Mac


class HostCrypto(Crypto):
    """The primitives of `hashlib` and `cryptography`."""

    def sha256(self) -> Hash:
        return cast(Hash, hashlib.sha256())

    def aes_ctr(self, key: "bytes | bytearray", iv: "bytes | bytearray", buffer: "bytearray | memoryview") -> None:
        buffer[:] = Cipher(algorithms.AES256(key), modes.CTR(iv)).encryptor().update(buffer)


CRYPTO = HostCrypto()


class EphemeralKey:
    """An X25519 key pair for one use."""

    def __init__(self) -> None:
        self._private = X25519PrivateKey.generate()
        self.public = self._private.public_key().public_bytes_raw()

    def shared(self, public: bytes) -> bytes:
        """Return the secret shared with the owner of a public key of 32 bytes. ValueError: it has low order."""
        return self._private.exchange(X25519PublicKey.from_public_bytes(public))


class HostMac(Mac):
    """HMAC-SHA256 that hashes both padded keys once, so that a chunk takes two thirds of the time.

    These hashes stay in memory as long as it does, as the key itself does on a host.
    """

    def __init__(self, key: "bytes | bytearray") -> None:
        super().__init__(CRYPTO, key)
        self._inner = hashlib.sha256(self._inner_key)
        self._outer = hashlib.sha256(self._outer_key)

    def digest(self, *parts: "bytes | bytearray | memoryview") -> bytes:
        inner = self._inner.copy()
        for part in parts:
            inner.update(part)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()

    def digests(self, texts: "Iterable[tuple[bytes, bytes | memoryview]]") -> list[bytes]:
        """Return the code of each pair of parts: in one loop, because for a chunk each call counts."""
        new_inner, new_outer = self._inner.copy, self._outer.copy
        found: list[bytes] = []
        for head, body in texts:
            inner, outer = new_inner(), new_outer()
            inner.update(head)
            inner.update(body)
            outer.update(inner.digest())
            found.append(outer.digest())
        return found
