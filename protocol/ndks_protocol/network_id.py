# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What tells whether two units give the same keys, without giving anything else away (PROTOCOL.md section 2)."""

from .kdf import Crypto, derive
from .layout import Layout

_CONTEXT = Layout("suite:u8 digits:u8 p1:text p2:text")
_SIZE = 8


def network_id(crypto: Crypto, secret: bytes, suite: int, digits: int, p1: str, p2: str) -> bytes:
    """Return 8 bytes over all that the keys of an epoch derive from."""
    return derive(crypto, secret, "ndks network id", _CONTEXT.pack(suite, digits, p1, p2))[:_SIZE]
