# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""SHA-256 and AES-CTR on the host: for capsules in mode a, offline decryption and network ids."""

import hashlib
from typing import cast

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ndks_protocol.kdf import Crypto, Hash


class HostCrypto(Crypto):
    """The primitives of `hashlib` and `cryptography`."""

    def sha256(self) -> Hash:
        return cast(Hash, hashlib.sha256())

    def aes_ctr(self, key: "bytes | bytearray", iv: "bytes | bytearray", buffer: "bytearray | memoryview") -> None:
        buffer[:] = Cipher(algorithms.AES256(key), modes.CTR(iv)).encryptor().update(bytes(buffer))


CRYPTO = HostCrypto()
