# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What hosts put into capsules of kind 2 and 3 (PROTOCOL.md section 12).

message (kind 3)  s u48 | content u8 | bytes
report  (kind 2)  01 | first u48 | last u48 | count u8 | count x (g u16, s u48)
voucher (kind 2)  02 | s u48 | SHA-256(capsule)[:16]
ask     (kind 2)  03 | lane u16 | count u8 | count x s u48
"""

import struct
from dataclasses import dataclass
from hashlib import sha256

DIGEST_SIZE = 16
MOST_STARTS = 16  # in a report
MOST_ASKED = 32  # numbers in an ask
BYTES, SYMBOLS = CONTENTS = 0, 1  # of messages

_REPORT, _VOUCHER, _ASK = 1, 2, 3
_S = 6  # bytes of a message's number


class BadPacket(ValueError):
    """Bytes that are none of these; their sender is a member, whose host has another version or is broken."""


@dataclass(frozen=True)
class Message:
    """Message s of its sender; content 0: bytes, 1: symbols."""

    s: int
    content: int
    data: bytes

    def packed(self) -> bytes:
        return _packed(self.s) + bytes((self.content,)) + self.data


@dataclass(frozen=True)
class Report:
    """What a sender still has, and the first message that it sealed in each generation, in order of s."""

    first: int
    last: int
    starts: tuple[tuple[int, int], ...]

    def packed(self) -> bytes:
        starts = b"".join(struct.pack(">H", g) + _packed(s) for g, s in self.starts)
        return bytes((_REPORT,)) + _packed(self.first) + _packed(self.last) + bytes((len(self.starts),)) + starts


@dataclass(frozen=True)
class Voucher:
    """The sender's word, in the present generation, that a capsule of another epoch is its message s."""

    s: int
    digest: bytes

    def packed(self) -> bytes:
        return bytes((_VOUCHER,)) + _packed(self.s) + self.digest


@dataclass(frozen=True)
class Ask:
    """A request for messages of a lane to be sent again."""

    lane: int
    numbers: tuple[int, ...]

    def packed(self) -> bytes:
        return struct.pack(">BHB", _ASK, self.lane, len(self.numbers)) + b"".join(map(_packed, self.numbers))


def digest_of(capsule: bytes) -> bytes:
    return sha256(capsule).digest()[:DIGEST_SIZE]


def parse_message(data: bytes) -> Message:
    """BadPacket."""
    if len(data) <= _S or data[_S] not in CONTENTS:
        raise BadPacket
    return Message(_number(data[:_S]), data[_S], data[_S + 1 :])


def parse_housekeeping(data: bytes) -> Report | Voucher | Ask:
    """BadPacket."""
    parse = _PARSERS.get(data[0]) if data else None
    if parse is None:
        raise BadPacket
    return parse(data[1:])


def _parse_report(data: bytes) -> Report:
    if len(data) < 2 * _S + 1 or len(data) != 2 * _S + 1 + data[2 * _S] * (2 + _S) or data[2 * _S] > MOST_STARTS:
        raise BadPacket
    entries = (data[at : at + 2 + _S] for at in range(2 * _S + 1, len(data), 2 + _S))
    starts = tuple((int.from_bytes(entry[:2]), _number(entry[2:])) for entry in entries)
    first, last = _number(data[:_S]), int.from_bytes(data[_S : 2 * _S])
    numbers = [s for _, s in starts]
    if first > last + 1 or numbers != sorted(set(numbers)) or (numbers and numbers[-1] > last):
        raise BadPacket
    return Report(first, last, starts)


def _parse_voucher(data: bytes) -> Voucher:
    if len(data) != _S + DIGEST_SIZE:
        raise BadPacket
    return Voucher(_number(data[:_S]), data[_S:])


def _parse_ask(data: bytes) -> Ask:
    if len(data) < 3 or data[2] > MOST_ASKED or len(data) != 3 + data[2] * _S:
        raise BadPacket
    numbers = tuple(_number(data[at : at + _S]) for at in range(3, len(data), _S))
    return Ask(int.from_bytes(data[:2]), numbers)


_PARSERS = {_REPORT: _parse_report, _VOUCHER: _parse_voucher, _ASK: _parse_ask}


def _number(data: bytes) -> int:
    number = int.from_bytes(data)
    if not number:
        raise BadPacket
    return number


def _packed(s: int) -> bytes:
    return s.to_bytes(_S)
