# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Model of module aesio."""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

MODE_ECB, MODE_CBC, MODE_CTR = 1, 2, 6
_BLOCK = 16


class AES:
    """Class AES of module aesio; counter mode only."""

    def __init__(self, key: bytes, mode: int = 0, IV: bytes = bytes(_BLOCK)) -> None:  # noqa: N803
        if mode != MODE_CTR:
            raise NotImplementedError("Requested AES mode is unsupported")
        self.rekey(key, IV)

    def rekey(self, key: bytes, IV: bytes) -> None:  # noqa: N803
        self._key = bytes(key)
        self._counter = int.from_bytes(IV)

    def encrypt_into(self, source: bytes | bytearray, destination: bytearray) -> None:
        if len(source) != len(destination):
            raise ValueError("Source and destination buffers must be the same length")
        counter = modes.CTR(self._counter.to_bytes(_BLOCK))
        destination[:] = Cipher(algorithms.AES(self._key), counter).encryptor().update(bytes(source))
        self._counter += -(-len(source) // _BLOCK)  # the rest of a partly used block is discarded
        self._counter &= (1 << 128) - 1
