# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The PC's primitives, for what the host computes itself: capsules in mode a and offline, network ids."""

import hashlib
from typing import cast

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ndks_protocol.kdf import Crypto, Hash


class HostCrypto(Crypto):
    """SHA-256 of hashlib, AES of cryptography."""

    def sha256(self) -> Hash:
        return cast(Hash, hashlib.sha256())

    def aes_ctr(self, key: "bytes | bytearray", iv: bytes, buffer: "bytearray | memoryview") -> None:
        buffer[:] = Cipher(algorithms.AES256(key), modes.CTR(iv)).encryptor().update(bytes(buffer))


CRYPTO = HostCrypto()
