# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Check values of exported keys, by which records are compared.

    check of the first b bits of key k    HMAC-SHA256(these bits, "ndks confine" || 00 || k u64 || b u64)[:16]

For each key there are checks of its beginnings, each BLOCK bits longer than the last, so that the block in which two
keys begin to differ is known. Shorter steps would give the key away, bit by bit, to whoever tries all values of a step.

A check reveals nothing about a key that nobody can guess, but whoever has it can test guesses. In suite `paper` few
bits determine a key, so there a record is as secret as the keys.
"""

import hmac
import struct

from ..exceptions import UsageError

BLOCK = 128  # bits
MOST_BITS = 1 << 16  # of a key in a record
_CHECK_SIZE = 16
_LABEL = b"ndks confine\0"


def check_bits(bits: int) -> None:
    """Raise UsageError for a number of bits that a record cannot have."""
    if not BLOCK <= bits <= MOST_BITS or bits % BLOCK:
        raise UsageError(f"the bits of a key must be a multiple of {BLOCK}, at most {MOST_BITS}")


def checks_of(key: bytes, index: int) -> tuple[str, ...]:
    """Return the checks of the beginnings of a key, in hex, the shortest first."""
    ends = range(BLOCK // 8, len(key) + 1, BLOCK // 8)
    return tuple(_check(key[:end], index).hex() for end in ends)


def first_different(one: tuple[str, ...], other: tuple[str, ...]) -> int | None:
    """Return the first element of the block in which two keys begin to differ; None: they are equal."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((BLOCK * block for block, (ours, theirs) in pairs if ours != theirs), None)


def _check(beginning: bytes, index: int) -> bytes:
    return hmac.digest(beginning, _LABEL + struct.pack(">QQ", index, 8 * len(beginning)), "sha256")[:_CHECK_SIZE]
