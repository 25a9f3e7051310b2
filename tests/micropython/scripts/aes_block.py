# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""AES-256 of single blocks, by MicroPython or by CPython."""

try:
    from cryptolib import aes
except ImportError:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    def block_encryptor(key: bytes):
        return Cipher(algorithms.AES256(key), modes.ECB()).encryptor().update
else:
    _MODE_ECB = 1

    def block_encryptor(key: bytes):
        return aes(key, _MODE_ECB).encrypt
