# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The keys of generations and epochs, each derived from the one before (PROTOCOL.md section 11)."""

import struct

from ndks_protocol.kdf import Crypto, derive

from .limits import HINT_SIZE

try:
    from typing import Callable
except ImportError:  # not on the board, where annotations are not evaluated
    pass

NEXT_MEMBER_KEY = "ndks member next"
NEXT_EPOCH = "ndks renew"

_SIZE = 32
_BLOCK = 64  # of SHA-256
_INNER, _OUTER = b"\x36", b"\x5c"
_STEPS_BETWEEN_FEEDS = 256  # of the watchdog: 0.3 s on a board
_DIGITS = 40


def first_member_key(crypto: Crypto, root: bytes, lane: int) -> bytes:
    """Return the member key of a lane in generation 0."""
    return derive(crypto, root, "ndks member", struct.pack(">H", lane))


def ratchet(
    crypto: Crypto, key: "bytes | bytearray", label: str, steps: int, feed: "Callable[[], object] | None" = None
) -> bytes:
    """Return the key after so many steps of key = derive(key, label, ""), NEXT_MEMBER_KEY or NEXT_EPOCH.

    `feed` is called every 0.3 s of a board's time. A step by `derive` takes a board half as long again.
    """
    inner_pad = int.from_bytes(_INNER * _SIZE, "big")
    outer_pad = int.from_bytes(_OUTER * _SIZE, "big")
    inner = bytearray(_INNER * _BLOCK)
    outer = bytearray(_OUTER * _BLOCK)
    context = label.encode() + b"\0"
    key = bytes(key)
    for step in range(steps):
        if feed and not step % _STEPS_BETWEEN_FEEDS:
            feed()
        number = int.from_bytes(key, "big")
        inner[:_SIZE] = (number ^ inner_pad).to_bytes(_SIZE, "big")
        outer[:_SIZE] = (number ^ outer_pad).to_bytes(_SIZE, "big")
        first, second = crypto.sha256(), crypto.sha256()
        first.update(inner)
        first.update(context)
        second.update(outer)
        second.update(first.digest())
        key = second.digest()
    return key


def hint_of(crypto: Crypto, member_key: "bytes | bytearray") -> bytes:
    """Return the 4 bytes by which a host finds the notice that is sealed under a member key."""
    return derive(crypto, member_key, "ndks hint", b"")[:HINT_SIZE]


def parameters_of(crypto: Crypto, secret: "bytes | bytearray") -> tuple[str, str]:
    """Return p1 and p2 of an epoch, from its secret. Those of epoch 0 of generation 0 are in the network file."""
    first = int.from_bytes(derive(crypto, secret, "ndks p1", b""), "big")
    second = int.from_bytes(derive(crypto, secret, "ndks p2", b""), "big")
    return "0." + _digits(first), str(10 + second % 90) + "." + _digits(second // 90)


def _digits(number: int) -> str:
    """Return the last 40 decimal digits."""
    text = str(number % 10**_DIGITS)
    return "0" * (_DIGITS - len(text)) + text
