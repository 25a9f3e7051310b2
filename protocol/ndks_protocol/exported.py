# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Exported keys (PROTOCOL.md section 3): their indices, and the mask that suite `hybrid` puts on the paper's bits."""

import struct

from .commands import INDEX_BITS
from .kdf import Crypto, derive

_AES_BLOCK = 16


def is_exportable(index: int) -> bool:
    """Exported keys live on the common lane, lane 0, from n = 1 on."""
    return 1 <= index < 1 << INDEX_BITS


def export_mask_key(crypto: Crypto, secret: bytes, index: int) -> bytes:
    """Return the AES-256 key of the mask of one exported key."""
    return derive(crypto, secret, "ndks export mask", struct.pack(">Q", index))


def apply_mask(crypto: Crypto, mask_key: bytes, offset: int, data: bytearray) -> bytearray:
    """Return `data`, bytes of a key from `offset` on, XOR AES-256-CTR counted from block 0.

    AES is always given whole blocks from a block's start: the board's throws the rest of a begun block away.
    """
    skip = offset % _AES_BLOCK
    size = skip + len(data)
    padded = bytearray(size + -size % _AES_BLOCK)
    padded[skip:size] = data
    crypto.aes_ctr(mask_key, struct.pack(">QQ", 0, offset // _AES_BLOCK), padded)
    return padded[skip:size]
