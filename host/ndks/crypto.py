# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""SHA-256, AES-CTR and X25519 on the host: for sessions, capsules in mode a, offline decryption and network ids."""

import hashlib
from typing import cast

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ndks_protocol.kdf import Crypto, Hash


class HostCrypto(Crypto):
    """The primitives of `hashlib` and `cryptography`."""

    def sha256(self) -> Hash:
        return cast(Hash, hashlib.sha256())

    def aes_ctr(self, key: "bytes | bytearray", iv: "bytes | bytearray", buffer: "bytearray | memoryview") -> None:
        buffer[:] = Cipher(algorithms.AES256(key), modes.CTR(iv)).encryptor().update(bytes(buffer))


CRYPTO = HostCrypto()


class EphemeralKey:
    """A key pair of X25519 for one use."""

    def __init__(self) -> None:
        self._private = X25519PrivateKey.generate()
        self.public = self._private.public_key().public_bytes_raw()

    def shared(self, public: bytes) -> bytes:
        """Return the secret shared with the owner of a public key of 32 bytes. ValueError: it has low order."""
        return self._private.exchange(X25519PublicKey.from_public_bytes(public))
