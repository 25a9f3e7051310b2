# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of commands: one conversation with a new unit."""

import hashlib
import json
import struct
from typing import Any

from capsule_reference import (
    AES,
    HYBRID,
    MAX_JUMP,
    PAPER,
    VECTORS,
    VERNAM,
    WINDOW,
    WIRE_HEADER,
    Message,
    clear_header,
    derive,
    pattern,
    suite_network,
)

Step = tuple[int, bytes, bytes | int]  # command, request, and its answer or error

HELLO, CLOSE, SEAL_BEGIN, SEAL_CHUNK, SEAL_KEYS = 0x01, 0x04, 0x20, 0x21, 0x22
OPEN_BEGIN, OPEN_CHUNK, OPEN_KEYS, MESSAGE_STREAM, MESSAGE_CHECK, ACCEPT = 0x23, 0x24, 0x25, 0x26, 0x27, 0x28
BLANK, RANGE, TOO_FAR, VERSION, HEADER, SUITE, KIND = 0x0201, 0x0301, 0x0303, 0x0401, 0x0402, 0x0403, 0x0404
REFLECTED, DUPLICATE, TOO_OLD, SENDERS_FULL, AUTH = 0x0405, 0x0406, 0x0407, 0x0408, 0x0409
DIVERGED, CONFLICT = 0x040A, 0x040C

OWN_LANE, MAX_SENDERS = 7, 12
ENTROPY = bytes.fromhex("e0e1e2e3e4e5e6e7")  # all random bytes of the unit; so its handles are the same
HOST_RANDOM = bytes.fromhex("a8a9aaabacadaeaf")


def own_message(cipher: int, number: int, data: bytes) -> Message:
    """What the unit of the conversation seals."""
    salt = hashlib.sha256(HOST_RANDOM + ENTROPY).digest()[:8]
    return Message(suite_network(), clear_header(HYBRID, cipher, OWN_LANE, number, salt), data)


def others_message(cipher: int, lane: int, number: int, data: bytes, **header: Any) -> Message:
    """What it gets from another unit."""
    clear = clear_header(header.pop("suite", HYBRID), cipher, lane, number, b"saltsalt", **header)
    return Message(suite_network(), clear, data)


def begin(name: str, cipher: int, kind: int = 0, random_bytes: bytes = HOST_RANDOM) -> bytes:
    return name.encode() + bytes([cipher, kind]) + random_bytes


def piece(name: str, number: int, last: int, data: bytes) -> bytes:
    """The request of SEAL_CHUNK for a token, of OPEN_CHUNK for a handle."""
    return name.encode() + struct.pack(">IB", number, last) + data


def stream(message: bytes, offset: int, size: int) -> bytes:
    return message + struct.pack(">QH", offset, size)


def sized(message: bytes, size: int) -> bytes:
    return message + struct.pack(">Q", size)


def sealing_in_mode_b() -> list[Step]:
    data = pattern(1016 + 1020)  # its check value does not fit into the second chunk
    first, second = "1st-mess", "2nd-mess"
    long, short = own_message(AES, 1, data), own_message(VERNAM, 2, b"PAY 0100")
    a, b, c = long.chunks
    return [
        (SEAL_CHUNK, piece(first, 0, 1, b""), CONFLICT),
        (SEAL_BEGIN, begin(first, 2), RANGE),
        (SEAL_BEGIN, begin(first, AES, kind=2), RANGE),
        (SEAL_BEGIN, begin(first, AES, kind=1), KIND),
        (SEAL_BEGIN, begin(first, AES), long.header),
        (SEAL_BEGIN, begin(first, AES), long.header),
        (SEAL_BEGIN, begin(first, VERNAM), CONFLICT),
        (SEAL_BEGIN, begin(first, AES, random_bytes=bytes(8)), CONFLICT),
        (SEAL_KEYS, begin(first, AES), CONFLICT),
        (SEAL_CHUNK, piece(second, 0, 0, data[:1016]), CONFLICT),
        (SEAL_CHUNK, piece(first, 1, 0, data[:1016]), CONFLICT),
        (SEAL_CHUNK, piece(first, 0, 0, data[:1015]), RANGE),
        (SEAL_CHUNK, piece(first, 0, 1, data[:1017]), RANGE),
        (SEAL_CHUNK, piece(first, 0, 2, data[:1016]), RANGE),
        (SEAL_CHUNK, piece(first, 0, 0, data[:1016]), a),
        (SEAL_CHUNK, piece(first, 0, 0, data[:1016]), a),
        (SEAL_CHUNK, piece(first, 0, 0, data[1:1017]), CONFLICT),
        (SEAL_CHUNK, piece(first, 0, 1, data[:1016]), CONFLICT),
        (SEAL_CHUNK, piece(first, 1, 1, data[1016:]), b + c),
        (SEAL_CHUNK, piece(first, 1, 1, data[1016:]), b + c),
        (SEAL_CHUNK, piece(first, 0, 0, data[:1016]), a),
        (SEAL_CHUNK, piece(first, 2, 1, b""), CONFLICT),
        (MESSAGE_STREAM, stream(first.encode(), 0, 1), CONFLICT),
        (MESSAGE_CHECK, sized(first.encode(), len(data)), CONFLICT),
        (SEAL_BEGIN, begin(second, VERNAM), short.header),
        (SEAL_CHUNK, piece(second, 0, 1, b"PAY 0100"), short.chunks[0]),
        (SEAL_CHUNK, piece(second, 0, 1, b"PAY 9100"), CONFLICT),
    ]


def sealing_in_mode_a() -> list[Step]:
    third, fourth = b"3rd-mess", b"4th-mess"
    vernam, aes = own_message(VERNAM, 3, pattern(24)), own_message(AES, 4, pattern(1000))
    return [
        (SEAL_KEYS, begin("3rd-mess", 2), RANGE),
        (SEAL_KEYS, begin("3rd-mess", VERNAM, kind=1), KIND),
        (SEAL_KEYS, begin("3rd-mess", VERNAM), vernam.header + vernam.tag_key + vernam.sync),
        (SEAL_KEYS, begin("3rd-mess", VERNAM), vernam.header + vernam.tag_key + vernam.sync),
        (SEAL_BEGIN, begin("3rd-mess", VERNAM), CONFLICT),
        (SEAL_CHUNK, piece("3rd-mess", 0, 1, b""), CONFLICT),
        (MESSAGE_STREAM, stream(third, 8, 24), CONFLICT),
        (MESSAGE_STREAM, stream(third, 0, 0), RANGE),
        (MESSAGE_STREAM, stream(third, 0, 1025), RANGE),
        (MESSAGE_STREAM, stream(third, 0, 30), vernam.z[:30]),
        (MESSAGE_STREAM, stream(third, 30, 10), vernam.z[30:]),
        (MESSAGE_STREAM, stream(third, 5, 20), vernam.z[5:25]),
        (MESSAGE_STREAM, stream(third, 41, 1), CONFLICT),
        (MESSAGE_CHECK, sized(third, 100), CONFLICT),
        (MESSAGE_CHECK, sized(third, 24), vernam.check),
        (MESSAGE_CHECK, sized(third, 24), vernam.check),
        (MESSAGE_CHECK, sized(third, 25), CONFLICT),
        (MESSAGE_CHECK, sized(fourth, 24), CONFLICT),
        (SEAL_KEYS, begin("4th-mess", AES), aes.header + aes.tag_key + aes.sync + aes.z),
        (MESSAGE_STREAM, stream(fourth, 0, 32), CONFLICT),
        (MESSAGE_CHECK, sized(fourth, 1000), aes.check),
        (MESSAGE_CHECK, sized(third, 24), CONFLICT),
    ]


def begun(lane: int, number: int) -> bytes:
    return ENTROPY + struct.pack(">HQ", lane, number)


def incoming(number: int, last: int, wire_chunk: bytes, handle: bytes = ENTROPY) -> bytes:
    return handle + struct.pack(">IB", number, last) + wire_chunk


def opening_in_mode_b() -> list[Step]:
    message = others_message(VERNAM, 9, 1, pattern(1030))
    a, b = message.chunks
    altered = bytes([a[0] ^ 1]) + a[1:]
    empty = others_message(AES, 65535, (1 << 48) - 1, b"")
    diverged = others_message(AES, 9, 3, b"data")
    opened = begun(9, 1) + bytes([VERNAM])
    return [
        (OPEN_CHUNK, incoming(0, 0, a), CONFLICT),
        (OPEN_BEGIN, message.header + b"\4", RANGE),
        (OPEN_BEGIN, message.header + b"\0", opened),
        (OPEN_CHUNK, incoming(0, 0, a, bytes(8)), CONFLICT),
        (OPEN_CHUNK, incoming(1, 1, b), CONFLICT),
        (OPEN_CHUNK, incoming(0, 0, altered), AUTH),
        (OPEN_CHUNK, incoming(0, 1, a), AUTH),
        (OPEN_CHUNK, incoming(0, 0, a[:-1]), AUTH),
        (OPEN_CHUNK, incoming(0, 0, a), pattern(1030)[:1008]),
        (OPEN_CHUNK, incoming(0, 0, a), CONFLICT),
        (MESSAGE_STREAM, stream(ENTROPY, 0, 1), CONFLICT),
        (MESSAGE_CHECK, sized(ENTROPY, 1030), CONFLICT),
        (OPEN_CHUNK, incoming(1, 1, b), pattern(1030)[1008:]),
        (OPEN_CHUNK, incoming(2, 1, b), CONFLICT),
        (OPEN_BEGIN, message.header + b"\0", opened),
        (ACCEPT, message.header + b"\0", b""),
        (ACCEPT, message.header + b"\0", b""),
        (OPEN_BEGIN, message.header + b"\0", DUPLICATE),
        (OPEN_BEGIN, message.header + b"\1", opened),
        (OPEN_CHUNK, incoming(0, 0, a), pattern(1030)[:1008]),
        (OPEN_BEGIN, empty.header + b"\0", TOO_FAR),
        (OPEN_BEGIN, empty.header + b"\2", begun(65535, (1 << 48) - 1) + bytes([AES])),
        (OPEN_CHUNK, incoming(0, 1, empty.chunks[0]), b""),
        (OPEN_BEGIN, diverged.header + b"\0", begun(9, 3) + bytes([AES])),
        (OPEN_CHUNK, incoming(0, 1, diverged.forged(-1)[WIRE_HEADER:]), DIVERGED),
        (OPEN_CHUNK, incoming(0, 1, diverged.chunks[0]), CONFLICT),
    ]


def opening_in_mode_a() -> list[Step]:
    vernam, aes = others_message(VERNAM, 9, 2, pattern(100)), others_message(AES, 10, 1, pattern(5000))
    sync_not_known = bytes(8)
    return [
        (OPEN_KEYS, vernam.header + b"\4", RANGE),
        (OPEN_KEYS, own_message(VERNAM, 3, b"").header + b"\0", REFLECTED),
        (OPEN_KEYS, vernam.header + b"\0", begun(9, 2) + vernam.tag_key + sync_not_known),
        (OPEN_CHUNK, incoming(0, 1, vernam.chunks[0]), CONFLICT),
        (MESSAGE_STREAM, stream(ENTROPY, 0, 116), vernam.z),
        (MESSAGE_CHECK, sized(ENTROPY, 100), vernam.check),
        (MESSAGE_CHECK, sized(ENTROPY, 99), CONFLICT),
        (OPEN_KEYS, aes.header + b"\0", begun(10, 1) + aes.tag_key + sync_not_known + aes.z),
        (MESSAGE_STREAM, stream(ENTROPY, 0, 32), CONFLICT),
        (MESSAGE_CHECK, sized(ENTROPY, 5000), aes.check),
    ]


def refused_headers() -> list[Step]:
    def header(cipher: int = AES, lane: int = 9, number: int = 4, **fields: int) -> bytes:
        return others_message(cipher, lane, number, b"", **fields).header

    refused = [
        (header(version=2), VERSION),
        (header()[:36] + bytes([header()[36] ^ 1]), HEADER),
        (header(lane=0), HEADER),
        (header(number=0), HEADER),
        (header(cipher=2), HEADER),
        (header(kind=2), HEADER),
        (header(zero=1), HEADER),
        (header(suite=PAPER), SUITE),
        (header(kind=1), KIND),
        (header(lane=OWN_LANE), REFLECTED),
    ]
    ways = ((OPEN_BEGIN, b"\3"), (OPEN_KEYS, b"\3"), (ACCEPT, b"\1"))  # whatever the host gives leave for
    return [(command, wire + flags, error) for wire, error in refused for command, flags in ways]


def sliding_windows() -> list[Step]:
    def header(lane: int, number: int) -> bytes:
        return others_message(AES, lane, number, b"").header

    far, top = header(9, MAX_JUMP + 2), header(9, MAX_JUMP + 1)
    others = range(10, 9 + MAX_SENDERS)
    return [
        (ACCEPT, far + b"\0", TOO_FAR),
        (ACCEPT, top + b"\0", b""),
        (OPEN_BEGIN, header(9, 2) + b"\0", TOO_OLD),
        (ACCEPT, header(9, 2) + b"\1", TOO_OLD),
        (OPEN_KEYS, header(9, MAX_JUMP + 1 - WINDOW) + b"\2", TOO_OLD),
        (ACCEPT, header(9, MAX_JUMP + 2 - WINDOW) + b"\0", b""),
        (OPEN_BEGIN, header(9, MAX_JUMP + 2 - WINDOW) + b"\0", DUPLICATE),
        (OPEN_KEYS, top + b"\2", DUPLICATE),
        (ACCEPT, header(9, 2 * MAX_JUMP + 2) + b"\0", TOO_FAR),
        (ACCEPT, header(9, 2 * MAX_JUMP + 2) + b"\1", b""),
        *[(ACCEPT, header(lane, 1) + b"\0", b"") for lane in others],
        (ACCEPT, header(9 + MAX_SENDERS, 1) + b"\0", SENDERS_FULL),
        (OPEN_BEGIN, header(9 + MAX_SENDERS, 1) + b"\0", SENDERS_FULL),
        (ACCEPT, header(others[-1], 2) + b"\0", b""),
    ]


def sessions(hello_answer: bytes) -> list[Step]:
    """What ends one, and that numbers that were not used come back only where the host said that it leaves."""
    fifth, sixth, seventh = (own_message(VERNAM, number, b"x") for number in (5, 6, 7))
    message = others_message(AES, 9, 2 * MAX_JUMP + 3, b"x")
    opened = begun(9, 2 * MAX_JUMP + 3) + bytes([AES])
    return [
        (SEAL_BEGIN, begin("5th-mess", VERNAM), fifth.header),
        (OPEN_BEGIN, message.header + b"\0", opened),
        (CLOSE, b"", 0x0101),
        (CLOSE, b"\0", b""),
        (SEAL_CHUNK, piece("5th-mess", 0, 1, b"x"), CONFLICT),
        (OPEN_CHUNK, incoming(0, 1, message.chunks[0]), CONFLICT),
        (SEAL_BEGIN, begin("6th-mess", VERNAM), sixth.header),
        (OPEN_KEYS, message.header + b"\0", opened[:-1] + message.tag_key + bytes(8) + message.z),
        (HELLO, b"", hello_answer),
        (SEAL_CHUNK, piece("6th-mess", 0, 1, b"x"), CONFLICT),
        (MESSAGE_CHECK, sized(ENTROPY, 1), CONFLICT),
        (CLOSE, b"\1", b""),
        (SEAL_BEGIN, begin("7th-mess", VERNAM), seventh.header),
        (SEAL_CHUNK, piece("7th-mess", 0, 1, b"x"), seventh.chunks[0]),
    ]


def on_a_blank_unit() -> list[Step]:
    header, token = bytes(37), b"1st-mess"
    return [
        (CLOSE, b"\1", b""),
        (SEAL_BEGIN, begin("1st-mess", AES), BLANK),
        (SEAL_CHUNK, piece("1st-mess", 0, 1, b""), BLANK),
        (SEAL_KEYS, begin("1st-mess", AES), BLANK),
        (OPEN_BEGIN, header + b"\0", BLANK),
        (OPEN_CHUNK, incoming(0, 1, b""), BLANK),
        (OPEN_KEYS, header + b"\0", BLANK),
        (MESSAGE_STREAM, stream(token, 0, 1), BLANK),
        (MESSAGE_CHECK, sized(token, 1), BLANK),
        (ACCEPT, header + b"\0", BLANK),
    ]


def make_commands() -> dict[str, Any]:
    """One conversation with a new unit: what it is asked, what it answers."""
    suite = json.loads((VECTORS / "suite.json").read_text())
    secret = bytes.fromhex(suite["network"]["secret"])
    keys = {entry["k"]: bytes.fromhex(entry["bytes"]) for entry in suite["export"] if entry["suite"] == 1}
    status, provision, next_index, key_chunk, acknowledge = 0x02, 0x03, 0x10, 0x11, 0x12
    bad_request, unknown, provisioned, epoch = 0x0101, 0x0102, 0x0202, 0x0302
    uid = bytes.fromhex("0011223344556677")
    parameters = secret + b"\x04demo" + b"\x040.52" + b"\x0225"
    equation_7, no_operators = b"\0\0", (b"\3\0", b"\0\3", b"\xff\xff")
    member = struct.pack(">IHBBB", 0, 7, 1, 0, 3) + parameters + equation_7
    common_lane = struct.pack(">IHBBB", 0, 0, 1, 0, 3) + parameters + equation_7
    limits = struct.pack(">HHHB", 1120, MAX_SENDERS, WINDOW, 1)
    greeting = bytes([1, 2, 0, 1, 0, 2]), bytes([1]) + uid + bytes(32) + limits
    network_id = derive(secret, "ndks network id", bytes([1, 3]) + b"\x040.52" + b"\x0225")[:8]
    counters = struct.pack(">II", 0, 0)
    chunk, ack = ">IQQH", ">IQB"
    steps: list[Step] = [
        (HELLO, b"", greeting[0] + b"\0" + greeting[1]),
        (status, b"", bytes([0, 1]) + bytes(18) + struct.pack(">HH", 0, 4064) + counters + b"\0\0"),
        (next_index, b"", BLANK),
        (key_chunk, struct.pack(chunk, 0, 1, 0, 32), BLANK),
        *on_a_blank_unit(),
        (provision, member[:-2], bad_request),
        (provision, member[:-1], bad_request),
        (provision, member + b"\0", bad_request),
        (provision, common_lane, RANGE),
        (provision, member.replace(b"0.52", b"0,52"), RANGE),
        *((provision, member[:-2] + operators, RANGE) for operators in no_operators),
        (provision, member, b""),
        (provision, member, provisioned),
        (HELLO, b"", greeting[0] + b"\1" + greeting[1]),
        (
            status,
            b"",
            bytes([1, 1])
            + struct.pack(">IHBBB", 0, 7, 1, 0, 3)
            + b"\x04demo"
            + network_id
            + struct.pack(">HH", 112, 4064)
            + counters
            + equation_7,
        ),
        (0x7E, b"", unknown),
        (0x81, b"", unknown),
        (next_index, b"", struct.pack(">IQ", 0, 1)),
        (next_index, b"\0", bad_request),
        (key_chunk, struct.pack(chunk, 0, 1, 0, 32), keys[1]),
        (key_chunk, struct.pack(chunk, 0, 1, 0, 32), keys[1]),
        (key_chunk, struct.pack(chunk, 0, 1, 5, 20), keys[1][5:25]),
        (key_chunk, struct.pack(chunk, 0, 1000, 31, 1), keys[1000][31:]),
        (key_chunk, struct.pack(chunk, 1, 1, 0, 32), epoch),
        (key_chunk, struct.pack(chunk, 0, 0, 0, 32), RANGE),
        (key_chunk, struct.pack(chunk, 0, 1 << 48, 0, 32), RANGE),
        (key_chunk, struct.pack(chunk, 0, 1, 0, 0), RANGE),
        (key_chunk, struct.pack(chunk, 0, 1, 0, 1025), RANGE),
        (key_chunk, struct.pack(chunk, 0, 1, (1 << 37) - 1, 2), RANGE),
        (key_chunk, struct.pack(chunk, 0, 1, (1 << 64) - 1, 1), RANGE),
        (acknowledge, struct.pack(ack, 0, 1, 0), struct.pack(">Q", 2)),
        (acknowledge, struct.pack(ack, 0, 1, 0), struct.pack(">Q", 2)),
        (acknowledge, struct.pack(ack, 1, 2, 0), epoch),
        (acknowledge, struct.pack(ack, 0, 0, 0), RANGE),
        (acknowledge, struct.pack(ack, 0, (1 << 20) + 3, 0), TOO_FAR),
        (next_index, b"", struct.pack(">IQ", 0, 2)),
        (acknowledge, struct.pack(ack, 0, (1 << 20) + 2, 0), struct.pack(">Q", (1 << 20) + 3)),
        (acknowledge, struct.pack(ack, 0, (1 << 48) - 1, 1), struct.pack(">Q", 1 << 48)),
        (next_index, b"", RANGE),
        *sealing_in_mode_b(),
        *sealing_in_mode_a(),
        *opening_in_mode_b(),
        *opening_in_mode_a(),
        *refused_headers(),
        *sliding_windows(),
        *sessions(greeting[0] + b"\1" + greeting[1]),
    ]
    return {
        "about": "conversation with a new unit whose free memory is given as 0, and whose random bytes are always"
        " those of entropy (PROTOCOL.md sections 4 to 6)",
        "uid": uid.hex(),
        "entropy": ENTROPY.hex(),
        "steps": [
            {
                "command": code,
                "request": request.hex(),
                **({"error": got} if isinstance(got, int) else {"answer": got.hex()}),
            }
            for code, request, got in steps
        ],
    }
