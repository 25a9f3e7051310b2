# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Bundles: a generation for all its members, as published, and the request for later ones (PROTOCOL.md section 13).

bundle  42 01 | g u16 | previous u16 | count u16 | size of record u32 | count x (hint 4 || size u16 || notice) | record
        | signature 64
ask     3F | g u16          FFFF: none. "Send me what is later"

The signature is Ed25519 of "ndks bundle" || 00 || all before it. `previous` is the generation that the administrator
knew before, FFFF: none.
"""

import struct
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ndks_protocol.control.limits import HINT_SIZE, LAST_GENERATION

NONE = 0xFFFF  # on the wire, in place of a generation
BUNDLE, ASK = 0x42, 0x3F

_VERSION = 1
_HEAD = ">BBHHHI"
_HEAD_SIZE = struct.calcsize(_HEAD)
_ENTRY_SIZE = HINT_SIZE + 2
_SIGNATURE_SIZE = 64
_SIGNED = b"ndks bundle\0"


class BadBundle(ValueError):
    """Bytes that are not a bundle of this version, or that were cut or altered."""


@dataclass(frozen=True)
class Bundle:
    """A bundle, its signature not verified. `previous` is -1 for none; `notices` are pairs of hint and capsule."""

    g: int
    previous: int
    notices: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    record: bytes = field(repr=False)
    content: bytes = field(repr=False)

    @classmethod
    def parse(cls, content: bytes) -> "Bundle":
        """BadBundle."""
        if len(content) < _HEAD_SIZE + _SIGNATURE_SIZE:
            raise BadBundle("it was cut short")
        kind, version, g, previous, count, record_size = struct.unpack_from(_HEAD, content)
        if (kind, version) != (BUNDLE, _VERSION) or g > LAST_GENERATION or (previous != NONE and previous >= g):
            raise BadBundle("it is none of this version")
        end = len(content) - _SIGNATURE_SIZE
        notices, at = _notices(content, count, end)
        if at + record_size != end:
            raise BadBundle("its sizes are wrong")
        return cls(g, -1 if previous == NONE else previous, notices, content[at:end], content)

    @classmethod
    def signed(
        cls, key: Ed25519PrivateKey, g: int, previous: int, notices: list[tuple[bytes, bytes]], record: bytes
    ) -> "Bundle":
        """Make a bundle."""
        before = NONE if previous < 0 else previous
        head = struct.pack(_HEAD, BUNDLE, _VERSION, g, before, len(notices), len(record))
        entries = (hint + len(notice).to_bytes(2) + notice for hint, notice in notices)
        body = head + b"".join(entries) + record
        return cls(g, previous, tuple(notices), record, body + key.sign(_SIGNED + body))

    @property
    def digest(self) -> bytes:
        return sha256(self.content).digest()

    def notices_for(self, hint: bytes) -> list[bytes]:
        """Return the notices with a hint: more than one if two members happen to have the same."""
        return [notice for other, notice in self.notices if other == hint]

    def is_signed_by(self, public: bytes) -> bool:
        """Return whether the administrators of a network made it; `public` is their key."""
        body, signature = self.content[:-_SIGNATURE_SIZE], self.content[-_SIGNATURE_SIZE:]
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, _SIGNED + body)
        except (InvalidSignature, ValueError):
            return False
        return True


def _notices(content: bytes, count: int, end: int) -> tuple[tuple[tuple[bytes, bytes], ...], int]:
    """Return the notices, and where the record begins."""
    at, notices = _HEAD_SIZE, list[tuple[bytes, bytes]]()
    for _ in range(count):
        begin = at + _ENTRY_SIZE
        after = begin + int.from_bytes(content[at + HINT_SIZE : begin])
        if after > end:
            raise BadBundle("it was cut short")
        notices.append((content[at : at + HINT_SIZE], content[begin:after]))
        at = after
    return tuple(notices), at


def pack_ask(g: int) -> bytes:
    """Return the request for bundles later than g, -1: all."""
    return struct.pack(">BH", ASK, NONE if g < 0 else g)


def parse_ask(packet: bytes) -> int:
    """Return the generation that an ask names, -1: none. BadBundle."""
    if len(packet) != 3 or packet[0] != ASK:
        raise BadBundle("it is no request for bundles")
    g = int.from_bytes(packet[1:])
    return -1 if g == NONE else g
