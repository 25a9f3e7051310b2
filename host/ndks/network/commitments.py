# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commitments to a candidate's laptop and network (PROTOCOL.md section 13): shown to the authority and to nobody else.

commitment  HMAC(c, name=value)[:16], c: 32 random bytes that stay with the candidate
"""

import hmac
import secrets
from collections import Counter
from collections.abc import Iterable

Commitments = tuple[tuple[str, str], ...]  # name of the characteristic and 32 hex digits, sorted
Characteristics = Iterable[tuple[str, str]]

COMMITMENT_SIZE = 16
KEY_SIZE = 32


def new_key() -> bytes:
    return secrets.token_bytes(KEY_SIZE)


def commit(key: bytes, characteristics: Characteristics) -> Commitments:
    """Return the commitments to characteristics, of which two may have the same name."""
    return tuple(sorted((name, _commitment(key, name, value)) for name, value in characteristics))


def differing(commitments: Commitments, key: bytes, characteristics: Characteristics) -> list[str]:
    """Return the names of characteristics that were shown but not committed to, or the other way round."""
    shown, given = Counter(commit(key, characteristics)), Counter(commitments)
    return sorted({name for name, _ in (shown - given) + (given - shown)})


def _commitment(key: bytes, name: str, value: str) -> str:
    return hmac.digest(key, f"{name}={value}".encode(), "sha256")[:COMMITMENT_SIZE].hex()
