# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What is derived from keys of the units and of handshakes."""

from ndks.crypto import CRYPTO
from ndks_protocol.kdf import derive


def derived(key: bytes, label: str, context: bytes) -> bytes:
    """Return the 32 bytes derived from a key of at most 64 bytes."""
    return derive(CRYPTO, key, label, context)
