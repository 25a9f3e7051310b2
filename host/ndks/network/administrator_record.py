# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The part of a bundle for other administrators: sealed, and equal for equal content (PROTOCOL.md section 13).

record  tag 16 || body XOR CTR(HMAC(derive(K, "ndks seal enc", ""), tag), 16 zero bytes)
tag     HMAC(derive(K, "ndks seal mac", ""), body)[:16]      K = derive(R, "ndks administrators", "")
body    01 | g u16 | d u8, f1 u8, f2 u8 | G 32 | count u8 x g u16 known
        | count u16 x (lane u16, uid 8, joined g u16, state u8)
"""

import struct
from dataclasses import dataclass, field
from hmac import compare_digest

from ndks_protocol.kdf import Mac, derive, xor_keystream

from ..crypto import CRYPTO
from .generation import AdmittedMember, Operators, State

KNOWN = 8  # generations before this one that a record names

_VERSION = 1
_TAG_SIZE = 16
_HEAD = ">BHBBB32sB"
_HEAD_SIZE = struct.calcsize(_HEAD)
_MEMBER = ">H8sHB"


class BadRecord(ValueError):
    """A record of another root, or one that was altered or is of another version."""


@dataclass(frozen=True)
class Record:
    """A generation, those that its maker knew before, and all lanes that were ever given, as far as its maker knew."""

    g: int
    operators: Operators
    secret: bytes = field(repr=False)
    known: tuple[int, ...]
    members: tuple[AdmittedMember, ...]

    def sealed(self, root: bytes) -> bytes:
        body = bytearray(self._packed())
        mac, encryption = _keys(root)
        tag = mac.digest(body)[:_TAG_SIZE]
        xor_keystream(CRYPTO, encryption.digest(tag), 0, body)
        return tag + body

    @classmethod
    def unsealed(cls, root: bytes, sealed: bytes) -> "Record":
        """BadRecord."""
        tag, body = sealed[:_TAG_SIZE], bytearray(sealed[_TAG_SIZE:])
        mac, encryption = _keys(root)
        xor_keystream(CRYPTO, encryption.digest(tag), 0, body)
        if not compare_digest(mac.digest(body)[:_TAG_SIZE], tag):
            raise BadRecord
        return cls._parsed(bytes(body))

    def _packed(self) -> bytes:
        head = struct.pack(_HEAD, _VERSION, self.g, *self.operators, self.secret, len(self.known))
        known = struct.pack(f">{len(self.known)}H", *self.known)
        members = (
            struct.pack(_MEMBER, member.lane, bytes.fromhex(member.serial_number), member.joined, member.state)
            for member in self.members
        )
        return head + known + len(self.members).to_bytes(2) + b"".join(members)

    @classmethod
    def _parsed(cls, body: bytes) -> "Record":
        try:
            version, g, *operators, secret, count = struct.unpack_from(_HEAD, body)
            known = struct.unpack_from(f">{count}H", body, _HEAD_SIZE)
            begin = _HEAD_SIZE + 2 * count + 2
            members = tuple(_member(*fields) for fields in struct.iter_unpack(_MEMBER, body[begin:]))
        except (struct.error, ValueError):
            raise BadRecord from None
        if version != _VERSION or len(members) != int.from_bytes(body[begin - 2 : begin]):
            raise BadRecord
        digits, f1, f2 = operators
        return cls(g, (digits, f1, f2), secret, known, members)


def _member(lane: int, uid: bytes, joined: int, state: int) -> AdmittedMember:
    return AdmittedMember(lane, uid.hex().upper(), joined, State(state))


def _keys(root: bytes) -> tuple[Mac, Mac]:
    """Return the keys of tag and encryption."""
    key = derive(CRYPTO, root, "ndks administrators", b"")
    mac, encryption = (derive(CRYPTO, key, f"ndks seal {part}", b"") for part in ("mac", "enc"))
    return Mac(CRYPTO, mac), Mac(CRYPTO, encryption)
