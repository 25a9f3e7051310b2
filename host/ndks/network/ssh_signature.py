# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Signatures of OpenSSH over files (`ssh-keygen -Y sign`), by keys of type ssh-ed25519.

The armored signature has "SSHSIG", version 1, public key, namespace, reserved, hash algorithm, signature; signed is
"SSHSIG", namespace, reserved, hash algorithm, hash of the file (OpenSSH, PROTOCOL.sshsig). This is a check of our own,
because ssh-keygen may be missing on a machine that has nothing but this program.
"""

import base64
import hashlib
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ..exceptions import CheckFailed, UsageError

_MAGIC = b"SSHSIG"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_KEY_TYPE = b"ssh-ed25519"
_HASHES = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}
_SIGN = "sign again: ssh-keygen -Y sign -n {} -f KEY FILE, with a key of ssh-keygen -t ed25519"


def check_authority(line: str) -> None:
    """Check a public key as OpenSSH writes it, "ssh-ed25519 AAAA... comment". UsageError."""
    _public_key(line)


def check_signature(content: bytes, armored: str, authority: str, namespace: str) -> None:
    """Check a signature over `content` by the key of an authority. CheckFailed; UsageError: that is not such a key."""
    advice = _SIGN.format(namespace)
    try:
        blob, space, reserved, algorithm, signature = _parsed(armored)
        kind, raw = _strings(signature, 2)
        if kind != _KEY_TYPE or algorithm not in _HASHES:
            raise ValueError
    except (ValueError, struct.error):
        raise CheckFailed("the signature is damaged, or of a kind that this ndks does not know", advice) from None
    if blob != _public_key(authority):
        raise CheckFailed("the signature is by another key than the authority's", advice)
    if space != namespace.encode():
        raise CheckFailed(f"the signature is for another purpose: its namespace is not {namespace}", advice)
    signed = _MAGIC + b"".join(map(_string, (space, reserved, algorithm, _HASHES[algorithm](content).digest())))
    try:
        Ed25519PublicKey.from_public_bytes(_strings(blob, 2)[1]).verify(raw, signed)
    except (InvalidSignature, ValueError):
        raise CheckFailed("the signature does not fit the file", advice) from None


def _public_key(line: str) -> bytes:
    """Return the key as it is in signatures."""
    try:
        kind, encoded, *_ = line.split()
        blob = base64.b64decode(encoded, validate=True)
        inner, raw = _strings(blob, 2)
        if not kind.encode() == inner == _KEY_TYPE or len(raw) != 32:
            raise ValueError
    except (ValueError, struct.error):
        raise UsageError("this is no public key of type ssh-ed25519", "give the line of a file KEY.pub") from None
    return blob


def _parsed(armored: str) -> list[bytes]:
    """Return public key, namespace, reserved, hash algorithm and signature. ValueError, struct.error."""
    text = armored.strip()
    if not text.startswith(_BEGIN) or not text.endswith(_END):
        raise ValueError
    data = base64.b64decode("".join(text[len(_BEGIN) : -len(_END)].split()), validate=True)
    if data[:6] != _MAGIC or int.from_bytes(data[6:10]) != 1:
        raise ValueError
    return _strings(data[10:], 5)


def _strings(data: bytes, count: int) -> list[bytes]:
    """Return strings with their size before them, as many as expected, and nothing after them."""
    strings, at = list[bytes](), 0
    for _ in range(count):
        (size,) = struct.unpack_from(">I", data, at)
        strings.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    if at != len(data):
        raise ValueError
    return strings


def _string(value: bytes) -> bytes:
    return len(value).to_bytes(4) + value
