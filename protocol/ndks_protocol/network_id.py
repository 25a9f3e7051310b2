# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Public ids: of a network, by which units verify that they compute the same keys, and of a generation."""

from .fields import pack
from .kdf import Crypto, Mac, derive

_CONTEXT = ">BBtt"  # suite, d, p1, p2
_SIZE = 8


def network_id(
    crypto: Crypto, secret: "bytes | bytearray", suite: int, digits: int, p1: str, p2: str, f1: int = 0, f2: int = 0
) -> bytes:
    """Return the 8-byte id, derived from every input of the key generator in an epoch.

    For compatibility with the first version, the numbers of f1 and f2 are left out for equation 7.
    """
    operators = bytes((f1, f2)) if f1 or f2 else b""
    return derive(crypto, secret, "ndks network id", pack(_CONTEXT, suite, digits, p1, p2) + operators)[:_SIZE]


def control_key(crypto: Crypto, secret: "bytes | bytearray | Mac") -> bytes:
    """Return the key that seals the beacons of a generation, from its first secret."""
    return derive(crypto, secret, "ndks control", b"")


def generation_id(crypto: Crypto, key: "bytes | bytearray") -> bytes:
    """Return the 8-byte id of a generation, from its control key."""
    return derive(crypto, key, "ndks generation id", b"")[:_SIZE]
