# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The bytes of a handshake: hello, knock, accept, last. All sizes are known, so any other is refused unread."""

import struct
from typing import NamedTuple

from .derivations import CHECK_SIZE, ID_SIZE
from .errors import Garbage, OtherVersion
from .noise import message_size

_MAGIC = b"NDKT"
_VERSION = 2
FULL, RESUMED, BUNDLES, BEHIND = 1, 2, 3, 4  # kinds; of a knock only the first two
LAST = 0  # the first byte of last, that of its size, so that kinds can stand in its place
CHALLENGE_SIZE = 16
HELLO_SIZE = 5 + CHALLENGE_SIZE
HEADER_SIZE = 37
_PAYLOAD = struct.Struct(">16sI")
FULL_MESSAGES = tuple(message_size("XXpsk0+psk2", number, _PAYLOAD.size) for number in range(3))
RESUMED_MESSAGES = tuple(message_size("NNpsk0", number, _PAYLOAD.size) for number in range(2))
FULL_HEAD_SIZE = HEADER_SIZE + CHECK_SIZE + 2
RESUMED_HEAD_SIZE = ID_SIZE + 2


class Payload(NamedTuple):
    """What each message of Noise carries: the process of its sender, and the credit that it gives each stream."""

    process: bytes
    window: int

    def packed(self) -> bytes:
        return _PAYLOAD.pack(*self)


def payload_of(data: bytes) -> Payload:
    """Return the payload of an authentic message, whose size was checked."""
    return Payload(*_PAYLOAD.unpack(data))


def hello(challenge: bytes) -> bytes:
    return _MAGIC + bytes([_VERSION]) + challenge


def check_hello(data: bytes) -> None:
    """Refuse what is not a hello of this version: Garbage, OtherVersion."""
    if not data.startswith(_MAGIC):
        raise Garbage("what answers there is not a gateway", "check --connect, and that the other gateway runs")
    if data[4] != _VERSION:
        raise OtherVersion(f"the other gateway speaks version {data[4]} of the tunnel, this one {_VERSION}")


def sized(message: bytes) -> bytes:
    """Return a message of Noise, preceded by its size."""
    return struct.pack(">H", len(message)) + message


def check_size(head: bytes, expected: int) -> None:
    """Refuse a size, the last two bytes of `head`, that the message which follows does not have. Garbage."""
    if int.from_bytes(head[-2:], "big") != expected:
        raise Garbage("a message of the handshake has another size")


def header_and_check(head: bytes) -> tuple[bytes, bytes]:
    """Return both from the head of a full knock or accept, without its kind."""
    return head[:HEADER_SIZE], head[HEADER_SIZE : HEADER_SIZE + CHECK_SIZE]


def full_prologue(hello: bytes, header: bytes, check: bytes, name: str) -> bytes:
    return hello + bytes([FULL]) + header + check + name.encode()


def resumed_prologue(hello: bytes, resumption_id: bytes, name: str) -> bytes:
    return hello + bytes([RESUMED]) + resumption_id + name.encode()
