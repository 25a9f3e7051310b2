# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Records in a copy of a unit's flash (PROTOCOL.md section 7): those in the clear, and with the KEK the sealed ones."""

import hashlib
import hmac
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from capsule_reference import Network, aes_ctr, derive, xor
from flash_reference import BINDING, JOINING_KEY, LOG_SIZE, MEMBERSHIP
from generator_reference import F1, F2

Open = Callable[[bytes, bytes, bytes], bytes | None]  # header, tag, body -> the body in the clear, if it is genuine
_HEADER, _BODY, _ALIGNMENT = 8, 24, 16
AUTH = 32  # bytes of A, at the start of the record of the binding
PRIVATE = 32  # bytes of a private key, at the start of the record of the joining key


class Member(NamedTuple):
    """What a membership says that is worth stealing."""

    lane: int
    network: Network


def stolen_auth(images: list[bytes]) -> bytes:
    """Return A, or b"" if no binding is in the copy."""
    return newest(images, BINDING, _plain)[:AUTH]


def joining_keys(images: list[bytes]) -> frozenset[bytes]:
    """Return the private keys for joining that are in the copy, also void ones."""
    found = (candidate for image in images for candidate in candidates(image, JOINING_KEY))
    return frozenset(body[:PRIVATE] for header, tag, body in found if _plain(header, tag, body) is not None)


def stolen_membership(images: list[bytes], kek: bytes) -> bytes:
    """Return the body of the sealed membership, or b"" if this KEK opens none."""

    def sealed(header: bytes, tag: bytes, body: bytes) -> bytes | None:
        key = hmac.digest(derive(kek, "ndks seal enc"), tag, hashlib.sha256)
        body = xor(body, aes_ctr(key, bytes(16), bytes(len(body))))
        right = hmac.digest(derive(kek, "ndks seal mac"), header + body, hashlib.sha256)[:16]
        return body if right == tag else None

    return newest(images, MEMBERSHIP, sealed)


def _plain(header: bytes, tag: bytes, body: bytes) -> bytes | None:
    return body if hashlib.sha256(header + body).digest()[:16] == tag else None


def newest(images: list[bytes], kind: int, open_record: Open) -> bytes:
    """Return the body of the genuine record of this type with the highest sequence number, or b""."""
    found = (candidate for image in images for candidate in candidates(image, kind))
    genuine = ((header[3:7], open_record(header, tag, body)) for header, tag, body in found)
    return max(((number, body) for number, body in genuine if body is not None), default=(b"", b""))[1]


def candidates(image: bytes, kind: int) -> Iterator[tuple[bytes, bytes, bytes]]:
    for start in range(0, LOG_SIZE - _BODY, _ALIGNMENT):
        end = start + _BODY + int.from_bytes(image[start + 1 : start + 3])
        if image[start] == kind and end <= LOG_SIZE:
            yield image[start : start + _HEADER], image[start + _HEADER : start + _BODY], image[start + _BODY : end]


def member_from(body: bytes) -> Member | None:
    """Return what the body of a membership says (the request of PROVISION after the binding); None for other bytes."""
    try:
        _, lane, _, _, digits, secret = struct.unpack_from(">IHBBB32s", body)
        _, p1, p2, operators = texts(body[41:], 3)
        f1, f2 = operators
        return Member(lane, Network(secret, p1.decode(), p2.decode(), digits, F1[f1], F2[f2]))
    except (struct.error, ValueError, IndexError):
        return None


def texts(rest: bytes, count: int) -> list[bytes]:
    """Return `count` texts, each with its size in front, and all that follows them."""
    found: list[bytes] = []
    for _ in range(count):
        found.append(rest[1 : 1 + rest[0]])
        rest = rest[1 + rest[0] :]
    return [*found, rest]
