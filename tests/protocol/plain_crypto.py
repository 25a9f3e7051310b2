# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The cryptographic primitives, with AES for whole blocks only, as on a board."""

import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ndks_protocol.kdf import Crypto


class PlainCrypto(Crypto):
    def sha256(self):
        return hashlib.sha256()

    def aes_ctr(self, key: bytes, iv: bytes, buffer: bytearray) -> None:
        assert len(buffer) % 16 == 0
        buffer[:] = Cipher(algorithms.AES256(key), modes.CTR(iv)).encryptor().update(bytes(buffer))


CRYPTO = PlainCrypto()
