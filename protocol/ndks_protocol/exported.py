# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Exported keys (PROTOCOL.md section 3): their indices, and the key of the mask that suite `hybrid` puts on them."""

import struct

from .commands import MAX_NUMBER
from .kdf import Crypto, derive


def is_exportable(index: int) -> bool:
    """Exported keys live on the common lane, lane 0, from n = 1 on."""
    return 1 <= index <= MAX_NUMBER


def export_mask_key(crypto: Crypto, secret: "bytes | bytearray", index: int) -> bytes:
    """Return the AES-256 key of the mask of one exported key."""
    return derive(crypto, secret, "ndks export mask", struct.pack(">Q", index))
