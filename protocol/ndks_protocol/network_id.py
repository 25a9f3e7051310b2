# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What tells whether two units give the same keys, without giving anything else away (PROTOCOL.md section 2)."""

from .kdf import Crypto, derive
from .layout import Layout

_CONTEXT = Layout("suite:u8 digits:u8 p1:text p2:text")
_SIZE = 8


def network_id(
    crypto: Crypto, secret: "bytes | bytearray", suite: int, digits: int, p1: str, p2: str, f1: int = 0, f2: int = 0
) -> bytes:
    """Return 8 bytes over all that the keys of an epoch derive from.

    The numbers of f1 and f2 count when they are not those of equation 7, the only chain there was at first.
    """
    operators = bytes((f1, f2)) if f1 or f2 else b""
    return derive(crypto, secret, "ndks network id", _CONTEXT.pack(suite, digits, p1, p2) + operators)[:_SIZE]
