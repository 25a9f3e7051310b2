# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Sealed packages, opened with a joining key that somebody holds (PROTOCOL.md section 6)."""

import hashlib
import hmac

from capsule_reference import aes_ctr, derive, xor

from .sessions import PUBLIC, Keys, public_of, shared_of

_TAG = 16


def unsealed(package: bytes, privates: Keys) -> bytes:
    """Return the fields of a package, or b"" if none of the private keys opens it."""
    ephemeral, text, tag = package[:PUBLIC], package[PUBLIC:-_TAG], package[-_TAG:]
    for private in privates:
        extracted = hmac.digest(b"ndks join", shared_of(private, ephemeral), hashlib.sha256)
        key = derive(extracted, "ndks join", ephemeral + public_of(private))
        if hmac.digest(derive(key, "ndks join mac"), text, hashlib.sha256)[:_TAG] == tag:
            return xor(text, aes_ctr(derive(key, "ndks join enc"), bytes(16), bytes(len(text))))
    return b""
