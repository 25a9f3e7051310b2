# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of commands: one conversation with a new unit."""

import hashlib
import json
import struct
from typing import Any

import conversation
from capsule_reference import (
    AES,
    HYBRID,
    MAX_JUMP,
    NOT_KNOWN,
    PAPER,
    VECTORS,
    VERNAM,
    WINDOW,
    WIRE_HEADER,
    Message,
    Network,
    aes_ctr,
    clear_header,
    derive,
    paper_bytes,
    pattern,
    suite_network,
    xor,
)
from conversation import (
    BLANK_STATE,
    DEMO,
    ERASE,
    FIRST,
    LOCKED_STATE,
    MAX_SENDERS,
    MEMBER,
    OPENING,
    OWN_LANE,
    SECOND,
    UID,
    UNLOCKED_STATE,
    Conversation,
    Membership,
    Step,
    unlocking,
)
from flash_reference import (
    BINDING,
    BOOTS,
    EXPORT_COUNTER,
    JOINING_KEY,
    MEMBER_IDS,
    MEMBERSHIP,
    MESSAGE_COUNTER,
    STATE_FORMAT,
    WINDOWS,
    WRONG_ATTEMPTS,
    extent,
)
from wire_codes import C, E

ENTROPY = conversation.ENTROPY[:8]  # so the handles of the unit are all the same
NO_SYNC = bytes(8)  # that of a sender whose binding is not known
HOST_RANDOM = bytes.fromhex("a8a9aaabacadaeaf")


OWN_SALT = hashlib.sha256(HOST_RANDOM + ENTROPY).digest()[:8]


def own_message(cipher: int, number: int, data: bytes, binding_id: bytes = FIRST.id, of: Membership = DEMO) -> Message:
    """Return the message that the unit of the conversation seals."""
    return Message(of.network, clear_header(of.suite, cipher, OWN_LANE, number, OWN_SALT), data, binding_id)


def others_message(
    cipher: int, lane: int, number: int, data: bytes, binding_id: bytes = NOT_KNOWN, **header: Any
) -> Message:
    """Return the message that it receives from another unit."""
    clear = clear_header(header.pop("suite", HYBRID), cipher, lane, number, b"saltsalt", **header)
    return Message(suite_network(), clear, data, binding_id)


def begin(name: str, cipher: int, kind: int = 0, random_bytes: bytes = HOST_RANDOM) -> bytes:
    return name.encode() + bytes([cipher, kind]) + random_bytes


def piece(name: str, number: int, last: int, data: bytes) -> bytes:
    """Send SEAL_CHUNK for a token, or OPEN_CHUNK for a handle."""
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
        (C.SEAL_CHUNK, piece(first, 0, 1, b""), E.CONFLICT),
        (C.SEAL_BEGIN, begin(first, 2), E.RANGE),
        (C.SEAL_BEGIN, begin(first, AES, kind=4), E.RANGE),
        (C.SEAL_BEGIN, begin(first, AES, kind=1), E.KIND),
        (C.SEAL_BEGIN, begin(first, AES), begins(long)),
        (C.SEAL_BEGIN, begin(first, AES), begins(long)),
        (C.SEAL_BEGIN, begin(first, VERNAM), E.CONFLICT),
        (C.SEAL_BEGIN, begin(first, AES, random_bytes=bytes(8)), E.CONFLICT),
        (C.SEAL_KEYS, begin(first, AES), E.CONFLICT),
        (C.SEAL_CHUNK, piece(second, 0, 0, data[:1016]), E.CONFLICT),
        (C.SEAL_CHUNK, piece(first, 1, 0, data[:1016]), E.CONFLICT),
        (C.SEAL_CHUNK, piece(first, 0, 0, data[:1015]), E.RANGE),
        (C.SEAL_CHUNK, piece(first, 0, 1, data[:1017]), E.RANGE),
        (C.SEAL_CHUNK, piece(first, 0, 2, data[:1016]), E.RANGE),
        (C.SEAL_CHUNK, piece(first, 0, 0, data[:1016]), a),
        (C.SEAL_CHUNK, piece(first, 0, 0, data[:1016]), a),
        (C.SEAL_CHUNK, piece(first, 0, 0, data[1:1017]), E.CONFLICT),
        (C.SEAL_CHUNK, piece(first, 0, 1, data[:1016]), E.CONFLICT),
        (C.SEAL_CHUNK, piece(first, 1, 1, data[1016:]), b + c),
        (C.SEAL_CHUNK, piece(first, 1, 1, data[1016:]), b + c),
        (C.SEAL_CHUNK, piece(first, 0, 0, data[:1016]), a),
        (C.SEAL_CHUNK, piece(first, 2, 1, b""), E.CONFLICT),
        (C.MESSAGE_STREAM, stream(first.encode(), 0, 1), E.CONFLICT),
        (C.MESSAGE_CHECK, sized(first.encode(), len(data)), long.check),
        (C.SEAL_BEGIN, begin(second, VERNAM), begins(short)),
        (C.SEAL_CHUNK, piece(second, 0, 1, b"PAY 0100"), short.chunks[0]),
        (C.SEAL_CHUNK, piece(second, 0, 1, b"PAY 9100"), E.CONFLICT),
        (C.MESSAGE_CHECK, sized(second.encode(), 8), short.check),
        (C.MESSAGE_CHECK, sized(second.encode(), 7), E.CONFLICT),
    ]


def sealing_in_mode_a() -> list[Step]:
    third, fourth = b"3rd-mess", b"4th-mess"
    vernam, aes = own_message(VERNAM, 3, pattern(24)), own_message(AES, 4, pattern(1000))
    return [
        (C.SEAL_KEYS, begin("3rd-mess", 2), E.RANGE),
        (C.SEAL_KEYS, begin("3rd-mess", VERNAM, kind=1), E.KIND),
        (C.SEAL_KEYS, begin("3rd-mess", VERNAM), gives_keys(vernam)),
        (C.SEAL_KEYS, begin("3rd-mess", VERNAM), gives_keys(vernam)),
        (C.SEAL_BEGIN, begin("3rd-mess", VERNAM), E.CONFLICT),
        (C.SEAL_CHUNK, piece("3rd-mess", 0, 1, b""), E.CONFLICT),
        (C.MESSAGE_STREAM, stream(third, 8, 24), E.CONFLICT),
        (C.MESSAGE_STREAM, stream(third, 0, 0), E.RANGE),
        (C.MESSAGE_STREAM, stream(third, 0, 1025), E.RANGE),
        (C.MESSAGE_STREAM, stream(third, 0, 30), vernam.z[:30]),
        (C.MESSAGE_STREAM, stream(third, 30, 10), vernam.z[30:]),
        (C.MESSAGE_STREAM, stream(third, 5, 20), vernam.z[5:25]),
        (C.MESSAGE_STREAM, stream(third, 41, 1), E.CONFLICT),
        (C.MESSAGE_CHECK, sized(third, 100), E.CONFLICT),
        (C.MESSAGE_CHECK, sized(third, 24), vernam.check),
        (C.MESSAGE_CHECK, sized(third, 24), vernam.check),
        (C.MESSAGE_CHECK, sized(third, 25), E.CONFLICT),
        (C.MESSAGE_CHECK, sized(fourth, 24), E.CONFLICT),
        (C.SEAL_KEYS, begin("4th-mess", AES), gives_keys(aes)),
        (C.MESSAGE_STREAM, stream(fourth, 0, 32), E.CONFLICT),
        (C.MESSAGE_CHECK, sized(fourth, 1000), aes.check),
        (C.MESSAGE_CHECK, sized(third, 24), E.CONFLICT),
    ]


def begins(message: Message, epoch: int = 0) -> bytes:
    """Return the answer to SEAL_BEGIN."""
    return message.header + struct.pack(">I", epoch)


def gives_keys(message: Message, epoch: int = 0) -> bytes:
    """Return the answer to SEAL_KEYS."""
    return message.header + message.tag_key + message.sync + struct.pack(">I", epoch) + message.aes_key


def opens(lane: int, number: int, cipher: int, kind: int = 0, epoch: int = 0) -> bytes:
    """Return the answer to OPEN_BEGIN."""
    return ENTROPY + struct.pack(">HQBBI", lane, number, cipher, kind, epoch)


def opens_keys(lane: int, number: int, message: Message, sync: bytes = NO_SYNC, kind: int = 0, epoch: int = 0) -> bytes:
    """Return the answer to OPEN_KEYS."""
    head = ENTROPY + struct.pack(">HQ", lane, number)
    return head + message.tag_key + sync + struct.pack(">BI", kind, epoch) + message.aes_key


def incoming(number: int, last: int, wire_chunk: bytes, handle: bytes = ENTROPY) -> bytes:
    return handle + struct.pack(">IB", number, last) + wire_chunk


def opening_in_mode_b() -> list[Step]:
    message = others_message(VERNAM, 9, 1, pattern(1030))
    a, b = message.chunks
    altered = bytes([a[0] ^ 1]) + a[1:]
    empty = others_message(AES, 65535, (1 << 48) - 1, b"")
    diverged = others_message(AES, 9, 3, b"data")
    opened = opens(9, 1, VERNAM)
    return [
        (C.OPEN_CHUNK, incoming(0, 0, a), E.CONFLICT),
        (C.OPEN_BEGIN, message.header + b"\10", E.RANGE),
        (C.OPEN_BEGIN, message.header + b"\0", opened),
        (C.OPEN_CHUNK, incoming(0, 0, a, bytes(8)), E.CONFLICT),
        (C.OPEN_CHUNK, incoming(1, 1, b), E.CONFLICT),
        (C.OPEN_CHUNK, incoming(0, 0, altered), E.AUTH),
        (C.OPEN_CHUNK, incoming(0, 1, a), E.AUTH),
        (C.OPEN_CHUNK, incoming(0, 0, a[:-1]), E.AUTH),
        (C.OPEN_CHUNK, incoming(0, 0, a), pattern(1030)[:1008]),
        (C.OPEN_CHUNK, incoming(0, 0, a), E.CONFLICT),
        (C.MESSAGE_STREAM, stream(ENTROPY, 0, 1), E.CONFLICT),
        (C.MESSAGE_CHECK, sized(ENTROPY, 1030), E.CONFLICT),
        (C.OPEN_CHUNK, incoming(1, 1, b), pattern(1030)[1008:]),
        (C.MESSAGE_CHECK, sized(ENTROPY, 1029), E.CONFLICT),
        (C.MESSAGE_CHECK, sized(ENTROPY, 1030), message.check),
        (C.OPEN_CHUNK, incoming(2, 1, b), E.CONFLICT),
        (C.OPEN_BEGIN, message.header + b"\0", opened),
        (C.ACCEPT, message.header + b"\0", b""),
        (C.ACCEPT, message.header + b"\0", b""),
        (C.OPEN_BEGIN, message.header + b"\0", E.DUPLICATE),
        (C.OPEN_BEGIN, message.header + b"\1", opened),
        (C.OPEN_CHUNK, incoming(0, 0, a), pattern(1030)[:1008]),
        (C.OPEN_BEGIN, empty.header + b"\0", E.TOO_FAR),
        (C.OPEN_BEGIN, empty.header + b"\2", opens(65535, (1 << 48) - 1, AES)),
        (C.OPEN_CHUNK, incoming(0, 1, empty.chunks[0]), b""),
        (C.OPEN_BEGIN, diverged.header + b"\0", opens(9, 3, AES)),
        (C.OPEN_CHUNK, incoming(0, 1, diverged.forged(-1)[WIRE_HEADER:]), E.DIVERGED),
        (C.MESSAGE_CHECK, sized(ENTROPY, 4), diverged.check),
        (C.OPEN_CHUNK, incoming(0, 1, diverged.chunks[0]), E.CONFLICT),
    ]


def opening_in_mode_a() -> list[Step]:
    vernam, aes = others_message(VERNAM, 9, 2, pattern(100)), others_message(AES, 10, 1, pattern(5000))
    return [
        (C.OPEN_KEYS, vernam.header + b"\10", E.RANGE),
        (C.OPEN_KEYS, own_message(VERNAM, 3, b"").header + b"\0", E.REFLECTED),
        (C.OPEN_KEYS, vernam.header + b"\0", opens_keys(9, 2, vernam)),
        (C.OPEN_CHUNK, incoming(0, 1, vernam.chunks[0]), E.CONFLICT),
        (C.MESSAGE_STREAM, stream(ENTROPY, 0, 116), vernam.z),
        (C.MESSAGE_CHECK, sized(ENTROPY, 100), vernam.check),
        (C.MESSAGE_CHECK, sized(ENTROPY, 99), E.CONFLICT),
        (C.OPEN_KEYS, aes.header + b"\0", opens_keys(10, 1, aes)),
        (C.MESSAGE_STREAM, stream(ENTROPY, 0, 32), E.CONFLICT),
        (C.MESSAGE_CHECK, sized(ENTROPY, 5000), aes.check),
    ]


def refused_headers() -> list[Step]:
    def header(cipher: int = AES, lane: int = 9, number: int = 4, **fields: int) -> bytes:
        return others_message(cipher, lane, number, b"", **fields).header

    refused = [
        (header(version=2), E.VERSION),
        (header()[:36] + bytes([header()[36] ^ 1]), E.HEADER),
        (header(lane=0), E.HEADER),
        (header(number=0), E.HEADER),
        (header(cipher=2), E.HEADER),
        (header(kind=1), E.HEADER),  # control is of cipher vernam
        (header(VERNAM, kind=1, zero=1), E.HEADER),
        (header(suite=PAPER), E.SUITE),
        (header(lane=OWN_LANE), E.REFLECTED),
        (header(VERNAM, lane=OWN_LANE, kind=1), E.REFLECTED),
        (header(VERNAM, kind=1), E.KIND),
        (header(kind=64, zero=1), E.TOO_FAR),  # number 4097
    ]
    ways = ((C.OPEN_BEGIN, b"\3"), (C.OPEN_KEYS, b"\3"), (C.ACCEPT, b"\1"))  # whatever the host gives leave for
    return [(command, wire + flags, error) for wire, error in refused for command, flags in ways]


def sliding_windows() -> list[Step]:
    def header(lane: int, number: int) -> bytes:
        return others_message(AES, lane, number, b"").header

    far, top = header(9, MAX_JUMP + 2), header(9, MAX_JUMP + 1)
    others = range(10, 9 + MAX_SENDERS)
    return [
        (C.ACCEPT, far + b"\0", E.TOO_FAR),
        (C.ACCEPT, top + b"\0", b""),
        (C.OPEN_BEGIN, header(9, 2) + b"\0", E.TOO_OLD),
        (C.ACCEPT, header(9, 2) + b"\1", E.TOO_OLD),
        (C.OPEN_KEYS, header(9, MAX_JUMP + 1 - WINDOW) + b"\2", E.TOO_OLD),
        (C.ACCEPT, header(9, MAX_JUMP + 2 - WINDOW) + b"\0", b""),
        (C.OPEN_BEGIN, header(9, MAX_JUMP + 2 - WINDOW) + b"\0", E.DUPLICATE),
        (C.OPEN_KEYS, top + b"\2", E.DUPLICATE),
        (C.ACCEPT, header(9, 2 * MAX_JUMP + 2) + b"\0", E.TOO_FAR),
        (C.ACCEPT, header(9, 2 * MAX_JUMP + 2) + b"\1", b""),
        *[(C.ACCEPT, header(lane, 1) + b"\0", b"") for lane in others],
        (C.ACCEPT, header(9 + MAX_SENDERS, 1) + b"\0", E.SENDERS),
        (C.OPEN_BEGIN, header(9 + MAX_SENDERS, 1) + b"\0", E.SENDERS),
        (C.ACCEPT, header(others[-1], 2) + b"\0", b""),
    ]


def needing_a_session(error: int) -> list[Step]:
    """Send a request of each command that needs a session, without one."""
    header, token = bytes(37), b"1st-mess"
    return [
        (C.BIND, SECOND.secret, error),
        (C.TRUST, struct.pack(">H", 9) + FIRST.id, error),
        (C.NEXT_INDEX, b"", error),
        (C.KEY_CHUNK, chunk_request(1, 0, 32), error),
        (C.ACKNOWLEDGE, acknowledgement(1), error),
        (C.SEAL_BEGIN, begin("1st-mess", AES), error),
        (C.SEAL_CHUNK, piece("1st-mess", 0, 1, b""), error),
        (C.SEAL_KEYS, begin("1st-mess", AES), error),
        (C.OPEN_BEGIN, header + b"\0", error),
        (C.OPEN_CHUNK, incoming(0, 1, b""), error),
        (C.OPEN_KEYS, header + b"\0", error),
        (C.MESSAGE_STREAM, stream(token, 0, 1), error),
        (C.MESSAGE_CHECK, sized(token, 1), error),
        (C.ACCEPT, header + b"\0", error),
        (C.TICK, bytes(2), error),
        (C.CONTROL, header, error),
        (C.NOTICE, b"\0\1" + header, error),
        (C.HINT, b"\0\1", error),
        (C.RENEW, b"", error),
        (C.ROLE, b"\0", error),
    ]


def exported(suite: int, network: Network, k: int, size: int) -> bytes:
    paper = paper_bytes(network, k, size)
    mask = aes_ctr(derive(network.secret, "ndks export mask", struct.pack(">Q", k)), bytes(16), bytes(size))
    return paper if suite == PAPER else xor(paper, mask)


def chunk_request(index: int, offset: int, size: int, epoch: int = 0) -> bytes:
    return struct.pack(">IQQH", epoch, index, offset, size)


def acknowledgement(index: int, allow_jump: int = 0, epoch: int = 0) -> bytes:
    return struct.pack(">IQB", epoch, index, allow_jump)


def becoming_a_member(talk: Conversation) -> None:
    secret = FIRST.secret
    common_lane = MEMBER.replace(struct.pack(">H", OWN_LANE), bytes(2), 1)
    no_operators = b"\3\0", b"\0\3", b"\xff\xff"
    talk.greet()
    talk.say(
        talk.status(BLANK_STATE, 0),
        (C.PROVE, bytes(16), E.CONFLICT),
        (C.UNLOCK, unlocking(FIRST), E.BLANK),
        *needing_a_session(E.BLANK),
        (C.CLOSE, b"\1", b""),
        (C.ZEROIZE, b"ZEROISE!" + UID, E.RANGE),
        (C.PROVISION, secret + MEMBER, E.LOCKED),
        (C.PROVISION_SEALED, secret, E.LOCKED),
        (C.JOINING_KEY, b"\0", E.BAD_REQUEST),
        (C.OPEN_SESSION, OPENING[:-1], E.BAD_REQUEST),
    )
    talk.refuse_public_key(bytes(32))
    talk.open_anonymously()
    talk.say(
        talk.status(BLANK_STATE, 0),
        (C.PROVE, bytes(16), E.CONFLICT),
        (C.UNLOCK, unlocking(FIRST), E.BLANK),
        *needing_a_session(E.BLANK),
        (C.PROVISION, secret + MEMBER[:-2], E.BAD_REQUEST),
        (C.PROVISION, secret + MEMBER[:-1], E.BAD_REQUEST),
        (C.PROVISION, secret + MEMBER + b"\0", E.BAD_REQUEST),
        (C.PROVISION, secret + common_lane, E.RANGE),
        (C.PROVISION, secret + MEMBER.replace(b"0.52", b"0,52"), E.RANGE),
        *((C.PROVISION, secret + MEMBER[:-2] + operators, E.RANGE) for operators in no_operators),
        (C.PROVISION_SEALED, secret[1:], E.BAD_REQUEST),
        (C.PROVISION_SEALED, secret, E.NO_JOINING_KEY),
    )
    talk.provision(FIRST)
    talk.say((C.PROVISION, secret + MEMBER, E.PROVISIONED))


def wrong_proofs(talk: Conversation) -> int:
    """Send wrong proofs, and return the bytes of the log that they have used."""
    used = talk.used
    attempts = extent(WRONG_ATTEMPTS, 4)
    talk.greet()
    talk.say(
        talk.status(LOCKED_STATE, used),
        *needing_a_session(E.LOCKED),
        (C.UNLOCK, unlocking(FIRST), E.LOCKED),
        (C.PROVE, bytes(16), E.CONFLICT),
        (C.OPEN_SESSION, OPENING[:-1], E.BAD_REQUEST),
    )
    talk.begin_session()
    talk.say((C.PROVE, bytes(15), E.BAD_REQUEST))
    talk.prove_wrongly()
    talk.say(
        (C.PROVE, bytes(16), E.CONFLICT),
        talk.status(LOCKED_STATE, used + attempts, wrong=1),
        (C.OPEN_SESSION, OPENING, E.DELAYED),
    )
    talk.wait(199)
    talk.say((C.OPEN_SESSION, OPENING, E.DELAYED))
    talk.wait(1)
    talk.begin_session()
    talk.prove_wrongly()
    talk.wait(399)
    talk.say((C.OPEN_SESSION, OPENING, E.DELAYED), (C.HELLO, b"", talk.hello()))
    talk.wait(1)
    talk.begin_session()
    talk.say(talk.status(LOCKED_STATE, used + 2 * attempts, wrong=2))
    return used + 3 * attempts  # a right proof is the third, which sets the number back to 0


def first_session(talk: Conversation, log_used: int) -> None:
    """Open the first session, and send requests that cause errors of every kind; the answers are secured."""
    talk.prove()
    talk.say(
        talk.status(LOCKED_STATE, log_used),
        *needing_a_session(E.LOCKED),
        (C.PROVE, bytes(16), E.CONFLICT),
        (C.UNLOCK, unlocking(SECOND), E.KEK),
        (C.UNLOCK, unlocking(FIRST, 1 << 48, 1), E.RANGE),
        (C.UNLOCK, unlocking(FIRST, MAX_JUMP + 2), E.TOO_FAR),
        (C.NEXT_INDEX, b"", E.LOCKED),
        (C.UNLOCK, unlocking(FIRST)[:-1], E.BAD_REQUEST),
    )
    talk.unlock()
    talk.say(
        talk.status(UNLOCKED_STATE, log_used),
        (C.PROVISION, FIRST.secret + MEMBER, E.PROVISIONED),
        (C.PROVISION_SEALED, FIRST.secret, E.PROVISIONED),
        (C.JOINING_KEY, b"", E.PROVISIONED),
        (0x7E, b"", E.UNKNOWN_COMMAND),
        (0x81, b"", E.UNKNOWN_COMMAND),
        (0x00, bytes(1096), E.UNKNOWN_COMMAND),
    )


def exported_keys() -> list[Step]:
    suite = json.loads((VECTORS / "suite.json").read_text())
    keys = {entry["k"]: bytes.fromhex(entry["bytes"]) for entry in suite["export"] if entry["suite"] == HYBRID}
    return [
        (C.NEXT_INDEX, b"", struct.pack(">IQ", 0, 1)),
        (C.NEXT_INDEX, b"\0", E.BAD_REQUEST),
        (C.KEY_CHUNK, chunk_request(1, 0, 32), keys[1]),
        (C.KEY_CHUNK, chunk_request(1, 0, 32), keys[1]),
        (C.KEY_CHUNK, chunk_request(1, 5, 20), keys[1][5:25]),
        (C.KEY_CHUNK, chunk_request(1000, 31, 1), keys[1000][31:]),
        (C.KEY_CHUNK, chunk_request(1, 0, 32, epoch=1), E.EPOCH),
        (C.KEY_CHUNK, chunk_request(0, 0, 32), E.RANGE),
        (C.KEY_CHUNK, chunk_request(1 << 48, 0, 32), E.RANGE),
        (C.KEY_CHUNK, chunk_request(1, 0, 0), E.RANGE),
        (C.KEY_CHUNK, chunk_request(1, 0, 1025), E.RANGE),
        (C.KEY_CHUNK, chunk_request(1, (1 << 37) - 1, 2), E.RANGE),
        (C.KEY_CHUNK, chunk_request(1, (1 << 64) - 1, 1), E.RANGE),
        (C.ACKNOWLEDGE, acknowledgement(1), struct.pack(">Q", 2)),
        (C.ACKNOWLEDGE, acknowledgement(1), struct.pack(">Q", 2)),
        (C.ACKNOWLEDGE, acknowledgement(2, epoch=1), E.EPOCH),
        (C.ACKNOWLEDGE, acknowledgement(0), E.RANGE),
        (C.ACKNOWLEDGE, acknowledgement((1 << 20) + 3), E.TOO_FAR),
        (C.NEXT_INDEX, b"", struct.pack(">IQ", 0, 2)),
        (C.ACKNOWLEDGE, acknowledgement((1 << 20) + 2), struct.pack(">Q", (1 << 20) + 3)),
        (C.ACKNOWLEDGE, acknowledgement(1 << 47), E.RANGE),
        (C.ACKNOWLEDGE, acknowledgement(1 << 47, allow_jump=1), E.RANGE),
        (C.NEXT_INDEX, b"", struct.pack(">IQ", 0, (1 << 20) + 3)),
        (C.ACKNOWLEDGE, acknowledgement((1 << 47) - 1, allow_jump=1), struct.pack(">Q", 1 << 47)),
        (C.NEXT_INDEX, b"", E.RANGE),
    ]


def trust() -> list[Step]:
    """Open messages of lane 10, a known sender, from the laptop that TRUST names and from another one."""
    theirs = bytes(range(16))
    good, strange = (others_message(VERNAM, 10, 2, b"x", binding_id) for binding_id in (theirs, FIRST.id))
    opened = opens(10, 2, VERNAM)
    many = range(1000, 1000 + MAX_SENDERS)

    def told(lane: int, binding_id: bytes) -> bytes:
        return struct.pack(">H", lane) + binding_id

    return [
        (C.TRUST, told(0, theirs), E.RANGE),
        (C.TRUST, told(OWN_LANE, theirs), E.RANGE),
        (C.TRUST, told(10, theirs)[:-1], E.BAD_REQUEST),
        (C.TRUST, told(10, FIRST.id), b""),
        (C.TRUST, told(10, theirs), b""),
        (C.OPEN_BEGIN, strange.header + b"\0", opened),
        (C.OPEN_CHUNK, incoming(0, 1, strange.chunks[0]), E.BINDING),
        (C.OPEN_BEGIN, good.header + b"\0", opened),
        (C.OPEN_CHUNK, incoming(0, 1, good.chunks[0]), b"x"),
        (C.OPEN_KEYS, good.header + b"\0", opens_keys(10, 2, good, good.sync)),
        *[(C.TRUST, told(lane, theirs), b"") for lane in many[1:]],
        (C.TRUST, told(many[0], theirs), E.SENDERS),
        (C.TRUST, told(10, NOT_KNOWN), b""),
        (C.OPEN_KEYS, good.header + b"\0", opens_keys(10, 2, good)),
    ]


def sessions(talk: Conversation) -> None:
    """End sessions in all ways: unused numbers are given back only if the host has sent CLOSE."""
    fifth, sixth, seventh = (own_message(VERNAM, number, b"x") for number in (5, 6, 7))
    message = others_message(AES, 9, 2 * MAX_JUMP + 3, b"x")
    opened = opens(9, 2 * MAX_JUMP + 3, AES)
    talk.say(
        (C.SEAL_BEGIN, begin("5th-mess", VERNAM), begins(fifth)),
        (C.OPEN_BEGIN, message.header + b"\0", opened),
        (C.CLOSE, b"", E.BAD_REQUEST),
        (C.CLOSE, b"\0", b""),
    )
    talk.say_in_the_clear((C.SEAL_CHUNK, piece("5th-mess", 0, 1, b"x"), E.LOCKED))
    talk.open_session()
    talk.say(
        (C.SEAL_CHUNK, piece("5th-mess", 0, 1, b"x"), E.CONFLICT),
        (C.SEAL_BEGIN, begin("5th-mess", VERNAM), begins(fifth)),
        (C.SEAL_CHUNK, piece("5th-mess", 0, 1, b"x"), E.CONFLICT),
        (C.OPEN_CHUNK, incoming(0, 1, message.chunks[0]), E.CONFLICT),
        (C.SEAL_BEGIN, begin("6th-mess", VERNAM), begins(sixth)),
        (C.OPEN_KEYS, message.header + b"\0", opens_keys(9, 2 * MAX_JUMP + 3, message)),
    )
    talk.open_session()  # its HELLO ends the one before
    talk.say(
        (C.SEAL_CHUNK, piece("6th-mess", 0, 1, b"x"), E.CONFLICT),
        (C.MESSAGE_CHECK, sized(ENTROPY, 1), E.CONFLICT),
        (C.CLOSE, b"\1", b""),
    )
    talk.open_session()
    talk.say(
        (C.SEAL_BEGIN, begin("7th-mess", VERNAM), begins(seventh)),
        (C.SEAL_CHUNK, piece("7th-mess", 0, 1, b"x"), seventh.chunks[0]),
    )


def altered_frames(talk: Conversation) -> None:
    """Send frames out of sequence: each ends the session, and the unit answers so in the clear."""

    def refused(command: int, payload: bytes) -> None:
        talk.say_in_the_clear((command, payload, E.SESSION_ENDED), (C.NEXT_INDEX, b"", E.LOCKED))
        talk.open_session()

    def secured(body: bytes = b"") -> bytes:
        assert talk.session
        return talk.session.to_unit.secured(C.NEXT_INDEX, len(talk.steps) + 1, body)

    talk.open_session()
    for position in (0, 7, 8, -16, -1):  # of the sync word, the body, the tag
        payload = bytearray(secured(b"body"))
        payload[position] ^= 0x80
        refused(C.NEXT_INDEX, bytes(payload))
    refused(C.KEY_CHUNK, secured())  # as another command
    refused(C.NEXT_INDEX, secured()[:-1])
    refused(C.NEXT_INDEX, secured() + b"\0")
    refused(C.NEXT_INDEX, b"")  # in the clear
    refused(C.NEXT_INDEX, bytes(23))
    talk.say((C.NEXT_INDEX, b"", E.RANGE))
    for repeated in ("sent", "received"):
        refused(C.NEXT_INDEX, bytes.fromhex(talk.steps[-1][repeated]))
        talk.say((C.NEXT_INDEX, b"", E.RANGE))
    secured()  # and is lost
    refused(C.NEXT_INDEX, secured())


def after_a_start(talk: Conversation) -> None:
    """Restart the unit: reserved numbers are lost, and with a minimum, others too."""
    talk.restart()
    talk.open_session()
    talk.say((C.SEAL_BEGIN, begin("7th-mess", VERNAM), begins(own_message(VERNAM, 71, b""))))
    talk.restart()
    talk.greet()
    talk.begin_session()
    talk.prove()
    talk.say(
        (C.UNLOCK, unlocking(FIRST, MAX_JUMP + 135 + 1), E.TOO_FAR),
        (C.UNLOCK, unlocking(FIRST, 200), b""),
        (C.SEAL_BEGIN, begin("8th-mess", VERNAM), begins(own_message(VERNAM, 201, b""))),
        (C.UNLOCK, unlocking(FIRST, 210), b""),
        (C.SEAL_BEGIN, begin("9th-mess", VERNAM), begins(own_message(VERNAM, 211, b""))),
        (C.UNLOCK, unlocking(FIRST, 205), b""),
        (C.SEAL_BEGIN, begin("10-messg", VERNAM), begins(own_message(VERNAM, 212, b""))),
    )


def another_laptop(talk: Conversation) -> None:
    """Bind to another laptop: BIND keeps only the newest record of each kind, and so the shortest possible log."""
    body = b"to whom it concerns"
    message = own_message(VERNAM, 213, body, SECOND.id)
    kinds = {STATE_FORMAT: 5, BINDING: 66, EXPORT_COUNTER: 12, MESSAGE_COUNTER: 12, BOOTS: 8, WRONG_ATTEMPTS: 4}
    kinds |= {MEMBERSHIP: len(MEMBER), MEMBER_IDS: 18 * (MAX_SENDERS - 1)}
    kinds |= {WINDOWS + slot: 40 for slot in range(MAX_SENDERS)}
    used = sum(extent(kind, size) for kind, size in kinds.items())
    talk.say((C.BIND, SECOND.secret[1:], E.BAD_REQUEST))
    talk.bind(SECOND)
    talk.say(
        talk.status(UNLOCKED_STATE, used, erases=2, message_counter=212),
        (C.SEAL_BEGIN, begin("11-messg", VERNAM), begins(message)),
        (C.SEAL_CHUNK, piece("11-messg", 0, 1, body), message.chunks[0]),
    )
    talk.greet()
    talk.begin_session()
    talk.prove()
    talk.say((C.UNLOCK, unlocking(FIRST), E.KEK))
    talk.unlock()
    suite = json.loads((VECTORS / "suite.json").read_text())
    key = bytes.fromhex(suite["export"][3]["bytes"])
    talk.say(
        (C.KEY_CHUNK, chunk_request(1, 0, 32), key),
        (C.ACCEPT, others_message(AES, 10, 1, b"").header + b"\0", b""),  # as before
        (C.ACCEPT, others_message(AES, 9 + MAX_SENDERS, 1, b"").header + b"\0", E.SENDERS),
        (C.CLOSE, b"\1", b""),
    )
    talk.say_in_the_clear(
        talk.status(LOCKED_STATE, used + extent(MESSAGE_COUNTER, 12), erases=2),
        (C.ZEROIZE, b"ZEROISE!" + UID, E.RANGE),
        (C.ZEROIZE, b"ZEROIZE!" + UID[::-1], E.RANGE),
        (C.ZEROIZE, ERASE[:-1], E.BAD_REQUEST),
    )


def one_life(talk: Conversation) -> None:
    """Send all commands but those of networks with an administrator to a new unit, which is blank again in the end."""
    becoming_a_member(talk)
    first_session(talk, wrong_proofs(talk))
    talk.say(*exported_keys())
    talk.say(*sealing_in_mode_b(), *sealing_in_mode_a(), *opening_in_mode_b(), *opening_in_mode_a())
    talk.say(*refused_headers(), *sliding_windows(), *trust())
    sessions(talk)
    altered_frames(talk)
    after_a_start(talk)
    another_laptop(talk)
    a_new_life(talk)


def a_new_life(talk: Conversation) -> None:
    talk.zeroize()
    talk.greet()
    talk.say(talk.status(BLANK_STATE, extent(STATE_FORMAT, 5), erases=3), *needing_a_session(E.BLANK))
    talk.make_joining_key()
    talk.say(talk.status(BLANK_STATE, 2 * extent(STATE_FORMAT, 5) + extent(JOINING_KEY, 64), erases=3))
    talk.provision_sealed(SECOND)
    talk.open_session(minimum=1000)
    used = talk.used + extent(STATE_FORMAT, 5) + extent(MESSAGE_COUNTER, 12)  # UNLOCK notes the minimum
    message = own_message(AES, 1001, b"x", SECOND.id)
    talk.say(
        talk.status(UNLOCKED_STATE, used, erases=4, message_counter=1000),
        (C.NEXT_INDEX, b"", struct.pack(">IQ", 0, 1)),
        (C.SEAL_KEYS, begin("1st-mess", AES), gives_keys(message)),
    )
    talk.greet()
    talk.zeroize()
    talk.greet()
