# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What is derived from the units' message keys, and from the secrets of a handshake."""

import hashlib
import hmac

KEY_SIZE = 32
CHECK_SIZE = 8
ID_SIZE = 16  # of a link that may be resumed
UDP_ID_SIZE = 4  # of its id


def derived(key: bytes, label: str, context: bytes) -> bytes:
    """Return the 32 bytes derived from a key, as `ndks_protocol.kdf.derive` does, but in 1 us: strangers cause it."""
    return hmac.digest(key, label.encode() + b"\0" + context, "sha256")


def message_psk(header: bytes, tag_key: bytes, aes_key: bytes) -> bytes:
    """Return the pre-shared key that both units make from a message with this header."""
    return derived(tag_key + aes_key, "ndks tunnel 2", header)


def message_check(header: bytes, tag_key: bytes, aes_key: bytes) -> bytes:
    """Return 8 bytes by which the other end can tell that its unit's generator made the same keys."""
    return derived(tag_key, "ndks gateway check", header + hashlib.sha256(aes_key).digest())[:CHECK_SIZE]


def resumption_id(resume: bytes) -> bytes:
    """Return the name, of 16 bytes, of a link that may be resumed with this key."""
    return derived(resume, "ndks tunnel id", b"")[:ID_SIZE]
