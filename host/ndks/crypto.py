# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""SHA-256 and AES-CTR on the host: for capsules in mode a, offline decryption and network ids."""

import hashlib
from typing import cast

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ndks_protocol.kdf import Crypto, Hash, Mac


class HostCrypto(Crypto):
    """The primitives of `hashlib` and `cryptography`."""

    def sha256(self) -> Hash:
        return cast(Hash, hashlib.sha256())

    def aes_ctr(self, key: "bytes | bytearray", iv: "bytes | bytearray", buffer: "bytearray | memoryview") -> None:
        buffer[:] = Cipher(algorithms.AES256(key), modes.CTR(iv)).encryptor().update(bytes(buffer))


CRYPTO = HostCrypto()


class HostMac(Mac):
    """HMAC-SHA256 that hashes both padded keys once, which for a chunk takes two thirds of the time.

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
