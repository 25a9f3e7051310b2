# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Indices and mask keys of exported keys (PROTOCOL.md section 3)."""

import struct

from .kdf import Crypto, Mac, derive
from .wire import MAX_NUMBER


def is_exportable(index: int) -> bool:
    """Return whether the index belongs to the common lane, which is lane 0 with n >= 1."""
    return 1 <= index <= MAX_NUMBER


def export_mask_key(crypto: Crypto, secret: "bytes | bytearray | Mac", index: int) -> bytes:
    """Return the AES-256 key whose keystream masks an exported key in suite `hybrid`."""
    return derive(crypto, secret, "ndks export mask", struct.pack(">Q", index))
