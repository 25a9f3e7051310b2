# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of limits: remembered tokens and pieces, long frames, last numbers, other suites and chains."""

import struct
from typing import Any

import conversation
from capsule_reference import (
    AES,
    CHUNK,
    HYBRID,
    MAX_JUMP,
    PAPER,
    VERNAM,
    Message,
    Network,
    clear_header,
    pattern,
)
from command_vectors import (
    acknowledgement,
    begin,
    begins,
    chunk_request,
    exported,
    gives_keys,
    incoming,
    opens,
    others_message,
    own_message,
    piece,
    sized,
    stream,
)
from conversation import (
    ABOUT_STEPS,
    FIRST,
    LAST,
    LAST_IN_TURN,
    LOCKED_STATE,
    MAX_SENDERS,
    OWN_LANE,
    SECOND,
    UID,
    UNLOCKED_STATE,
    Conversation,
    Membership,
    a_member,
    unlocking,
)
from failure_vectors import FAILURES
from flash_cases import FLASH_CASES
from joining_vectors import JOINING
from network_talks import NETWORKS
from record_vectors import ABOUT_IMAGES
from wire_codes import C, E

OTHER_NETWORKS = (
    (PAPER, Network(bytes(range(32)), "0.7071", "-31.5", 6)),
    (HYBRID, Network(bytes(range(32, 64)), "0.52", "25", 9, "polynomial", "cosine_square")),
    (PAPER, Network(bytes(range(64, 96)), "-1.25", "3.5", 12, "hyperbolic", "cosine_cube")),
)


def two_mistakes() -> Conversation:
    """Send requests with two mistakes: the unit reports the one that it checks first."""
    talk = Conversation()
    talk.say((0x7E, bytes(128), E.UNKNOWN_COMMAND), (C.NEXT_INDEX, b"\0", E.BLANK), (C.PROVISION, b"", E.LOCKED))
    talk.open_anonymously()
    talk.say((0x7E, bytes(1096), E.UNKNOWN_COMMAND), (C.PROVISION_SEALED, bytes(31), E.BAD_REQUEST))
    talk.provision(FIRST)
    talk.say((C.PROVISION, b"", E.PROVISIONED), (C.NEXT_INDEX, b"\0", E.LOCKED), (C.ZEROIZE, bytes(15), E.BAD_REQUEST))
    talk.open_session()
    (own, theirs), sealed = (others_message(AES, lane, 1, b"") for lane in (OWN_LANE, 9)), own_message(VERNAM, 1, b"x")
    other_suite = others_message(AES, OWN_LANE, 1, b"", suite=PAPER).header
    control = others_message(VERNAM, 9, 1, b"", kind=1).header
    aes, vernam = b"aes-mess", b"1st-mess"
    talk.say(
        (C.UNLOCK, unlocking(SECOND, allow_jump=2), E.RANGE),
        (C.KEY_CHUNK, chunk_request(0, 0, 0, epoch=1), E.EPOCH),
        (C.ACKNOWLEDGE, acknowledgement(0, allow_jump=2, epoch=1), E.RANGE),
        (C.ACKNOWLEDGE, acknowledgement(0, epoch=1), E.EPOCH),
        (C.SEAL_BEGIN, begin("1st-mess", 2, kind=1), E.RANGE),
        (C.SEAL_BEGIN, begin("1st-mess", VERNAM), begins(sealed)),
        (C.SEAL_BEGIN, begin("1st-mess", 2, kind=1), E.CONFLICT),
        (C.SEAL_CHUNK, piece("2nd-mess", 0, 2, b""), E.CONFLICT),
        (C.SEAL_CHUNK, piece("1st-mess", 1, 2, b""), E.CONFLICT),
        (C.SEAL_CHUNK, piece("1st-mess", 0, 0, b"x"), E.RANGE),
        (C.SEAL_CHUNK, piece("1st-mess", 0, 1, b"x"), sealed.chunks[0]),
        (C.OPEN_BEGIN, bytes(37) + b"\10", E.RANGE),
        (C.OPEN_BEGIN, other_suite + b"\0", E.SUITE),
        (C.OPEN_BEGIN, control + b"\0", E.KIND),
        (C.OPEN_BEGIN, theirs.header + b"\0", opens(9, 1, AES)),
        (C.OPEN_CHUNK, incoming(1, 2, b""), E.CONFLICT),
        (C.OPEN_CHUNK, incoming(0, 2, theirs.chunks[0]), E.AUTH),
        (C.OPEN_CHUNK, incoming(0, 1, theirs.chunks[0]), b""),
        (C.OPEN_CHUNK, incoming(0, 1, theirs.chunks[0]), E.CONFLICT),
        (C.ACCEPT, bytes(37) + b"\2", E.RANGE),
        (C.MESSAGE_STREAM, stream(aes, 0, 0), E.CONFLICT),
        (C.MESSAGE_STREAM, stream(vernam, 0, 0), E.CONFLICT),
        (C.TRUST, struct.pack(">H", OWN_LANE) + bytes(15), E.BAD_REQUEST),
        (C.ZEROIZE, bytes(16), E.RANGE),
        (C.OPEN_KEYS, own.header + b"\0", E.REFLECTED),
    )
    return talk


def tokens() -> Conversation:
    """Begin nine messages: the first token has been forgotten and counts as new; the second is still remembered."""
    talk = a_member()
    headers = [own_message(AES, number, b"x") for number in range(1, 11)]
    names = [f"token..{number}" for number in range(9)]
    talk.say(
        *((C.SEAL_BEGIN, begin(name, AES), begins(message)) for name, message in zip(names, headers, strict=False))
    )
    talk.say(
        (C.SEAL_BEGIN, begin(names[1], AES), begins(headers[1])),
        (C.SEAL_CHUNK, piece(names[1], 0, 1, b"x"), E.CONFLICT),
        (C.SEAL_CHUNK, piece(names[8], 0, 1, b"x"), headers[8].chunks[0]),
        (C.SEAL_BEGIN, begin(names[0], AES), begins(headers[9])),
        (C.SEAL_CHUNK, piece(names[8], 0, 1, b"x"), E.CONFLICT),
        (C.SEAL_CHUNK, piece(names[0], 0, 1, b"x"), headers[9].chunks[0]),
    )
    return talk


def pieces() -> Conversation:
    """Send nine pieces: the first has been forgotten, the second is still remembered."""
    talk = a_member()
    data = pattern(9 * CHUNK - 8)
    message = own_message(AES, 1, data + b"x")
    parts = [piece("1st-mess", i, 0, data[max(0, CHUNK * i - 8) : CHUNK * (i + 1) - 8]) for i in range(9)]
    talk.say((C.SEAL_BEGIN, begin("1st-mess", AES), begins(message)))
    talk.say(*((C.SEAL_CHUNK, part, chunk) for part, chunk in zip(parts, message.chunks, strict=False)))
    talk.say((C.SEAL_CHUNK, parts[0], E.CONFLICT), (C.SEAL_CHUNK, parts[1], message.chunks[1]))
    talk.say((C.SEAL_CHUNK, piece("1st-mess", 9, 1, b"x"), message.chunks[9]))
    return talk


def long_frames() -> Conversation:
    """Send long frames: without a session a unit accepts 128 bytes."""
    talk = Conversation()
    talk.say((0x7E, bytes(128), E.UNKNOWN_COMMAND))
    talk.say_in_vain(0x7E, bytes(129))
    talk.open_anonymously()
    talk.say((0x7E, bytes(1096), E.UNKNOWN_COMMAND))
    talk.provision(FIRST)
    talk.say((0x7E, bytes(128), E.UNKNOWN_COMMAND))
    talk.say_in_vain(0x7E, bytes(129))
    talk.open_session()
    talk.say((0x7E, bytes(1096), E.UNKNOWN_COMMAND), (C.CLOSE, b"\0", b""))
    talk.session = None
    talk.say_in_vain(C.HELLO, bytes(129))
    talk.say((C.HELLO, bytes(128), E.BAD_REQUEST), talk.status(LOCKED_STATE, talk.used, dropped=3))
    return talk


def reading_in_mode_a() -> Conversation:
    """Send MESSAGE_CHECK after reading 8 to 16 bytes beyond the data; a partly read range is not a repetition."""
    talk = a_member()
    message = own_message(VERNAM, 1, pattern(20))
    token, z = b"1st-mess", message.z
    talk.say(
        (C.SEAL_KEYS, begin("1st-mess", VERNAM), gives_keys(message)),
        (C.MESSAGE_CHECK, sized(token, 0), E.CONFLICT),
        (C.MESSAGE_STREAM, stream(token, 0, 28), z[:28]),
        (C.MESSAGE_STREAM, stream(token, 27, 2), E.CONFLICT),
        (C.MESSAGE_STREAM, stream(token, 29, 1), E.CONFLICT),
        (C.MESSAGE_STREAM, stream(token, 27, 1), z[27:28]),
        (C.MESSAGE_CHECK, sized(token, 21), E.CONFLICT),
        (C.MESSAGE_CHECK, sized(token, 11), E.CONFLICT),
        (C.MESSAGE_CHECK, sized(token, 20), message.check),
        (C.MESSAGE_CHECK, sized(token, 19), E.CONFLICT),
        (C.MESSAGE_STREAM, stream(token, 28, 8), z[28:]),
        (C.MESSAGE_CHECK, sized(token, 20), message.check),
    )
    return talk


def senders() -> Conversation:
    """Open messages of one sender too many: the last can be opened with the flag `again`, but not accepted."""
    talk = a_member()

    def header(lane: int, number: int = 1) -> bytes:
        return others_message(AES, lane, number, b"").header

    one_more = 9 + MAX_SENDERS
    talk.say(*((C.ACCEPT, header(lane) + b"\0", b"") for lane in range(9, one_more)))
    talk.say(
        (C.OPEN_BEGIN, header(one_more) + b"\0", E.SENDERS),
        (C.OPEN_BEGIN, header(one_more) + b"\1", opens(one_more, 1, AES)),
        (C.OPEN_BEGIN, header(one_more, MAX_JUMP + 1) + b"\1", E.TOO_FAR),
        (C.OPEN_BEGIN, header(one_more, MAX_JUMP + 1) + b"\3", opens(one_more, MAX_JUMP + 1, AES)),
        (C.ACCEPT, header(one_more) + b"\0", E.SENDERS),
        (C.OPEN_BEGIN, header(9) + b"\0", E.DUPLICATE),
        (C.OPEN_BEGIN, header(9) + b"\1", opens(9, 1, AES)),
    )
    return talk


def last_numbers() -> Conversation:
    talk = a_member()
    message = own_message(AES, LAST, b"")
    talk.say(
        (C.UNLOCK, unlocking(FIRST, LAST - 1), E.TOO_FAR),
        (C.NEXT_INDEX, b"", E.LOCKED),
        (C.UNLOCK, unlocking(FIRST, LAST - 1, 1), b""),
        (C.SEAL_BEGIN, begin("1st-mess", AES), begins(message)),
        (C.SEAL_BEGIN, begin("2nd-mess", AES), E.RANGE),
        (C.SEAL_CHUNK, piece("1st-mess", 0, 1, b""), message.chunks[0]),
        (C.ACKNOWLEDGE, acknowledgement(LAST, allow_jump=1), E.RANGE),
        (C.ACKNOWLEDGE, acknowledgement(LAST_IN_TURN, allow_jump=1), struct.pack(">Q", LAST_IN_TURN + 1)),
        (C.ACKNOWLEDGE, acknowledgement(7), struct.pack(">Q", LAST_IN_TURN + 1)),
        (C.NEXT_INDEX, b"", E.RANGE),
    )
    talk.restart()
    talk.open_session()
    talk.say((C.SEAL_KEYS, begin("2nd-mess", AES), E.RANGE), (C.NEXT_INDEX, b"", E.RANGE))
    return talk


def binding_meanwhile() -> Conversation:
    """Bind during a message, which keeps its sync word; TRUST during a message affects only the next opening."""
    talk = a_member()
    vernam, aes = own_message(VERNAM, 1, pattern(20)), own_message(AES, 2, b"x", SECOND.id)
    theirs = others_message(AES, 9, 1, b"x")
    opened = opens(9, 1, AES)
    keys = gives_keys(vernam)
    talk.say(
        (C.SEAL_KEYS, begin("1st-mess", VERNAM), keys),
        (C.MESSAGE_STREAM, stream(b"1st-mess", 0, 10), vernam.z[:10]),
        (C.OPEN_BEGIN, theirs.header + b"\0", opened),
    )
    talk.bind(SECOND)
    talk.say(
        (C.TRUST, struct.pack(">H", 9) + FIRST.id, b""),
        (C.SEAL_KEYS, begin("1st-mess", VERNAM), keys),
        (C.MESSAGE_STREAM, stream(b"1st-mess", 10, 18), vernam.z[10:28]),
        (C.MESSAGE_CHECK, sized(b"1st-mess", 20), vernam.check),
        (C.OPEN_CHUNK, incoming(0, 1, theirs.chunks[0]), b"x"),
        (C.OPEN_BEGIN, theirs.header + b"\0", opened),
        (C.OPEN_CHUNK, incoming(0, 1, theirs.chunks[0]), E.BINDING),
        (C.SEAL_BEGIN, begin("2nd-mess", AES), begins(aes)),
        (C.SEAL_CHUNK, piece("2nd-mess", 0, 1, b"x"), aes.chunks[0]),
    )
    return talk


def another_network(suite: int, network: Network) -> Conversation:
    """Export keys of another network, and send messages in both modes."""
    membership = Membership(network, suite)
    talk = a_member(membership)
    sealed, kept = (
        own_message(cipher, number, pattern(20), FIRST.id, membership) for number, cipher in ((1, AES), (2, VERNAM))
    )
    theirs = Message(network, clear_header(suite, VERNAM, 9, 1, b"saltsalt"), pattern(12))
    other = Message(network, clear_header(1 - suite, VERNAM, 9, 1, b"saltsalt"), b"")
    talk.say(
        talk.status(UNLOCKED_STATE, talk.used),
        (C.KEY_CHUNK, chunk_request(1, 0, 16), exported(suite, network, 1, 16)),
        (C.KEY_CHUNK, chunk_request(LAST, 3, 13), exported(suite, network, LAST, 16)[3:]),
        (C.SEAL_BEGIN, begin("1st-mess", AES), begins(sealed)),
        (C.SEAL_CHUNK, piece("1st-mess", 0, 1, pattern(20)), sealed.chunks[0]),
        (C.SEAL_KEYS, begin("2nd-mess", VERNAM), gives_keys(kept)),
        (C.MESSAGE_STREAM, stream(b"2nd-mess", 0, 28), kept.z[:28]),
        (C.MESSAGE_CHECK, sized(b"2nd-mess", 20), kept.check),
        (C.OPEN_BEGIN, other.header + b"\0", E.SUITE),
        (C.OPEN_BEGIN, theirs.header + b"\0", opens(9, 1, VERNAM)),
        (C.OPEN_CHUNK, incoming(0, 1, theirs.chunks[0]), pattern(12)),
    )
    return talk


LIMITS = (two_mistakes, tokens, pieces, long_frames, reading_in_mode_a, senders, last_numbers, binding_meanwhile)


def make_conversations() -> dict[str, Any]:
    """Return conversations, each with its own unit: a new one, or one that starts with `before` in flash."""
    talks = {talk.__name__: (talk(), None) for talk in LIMITS}
    talks |= {f"another network, {i}": (another_network(*each), None) for i, each in enumerate(OTHER_NETWORKS, 1)}
    talks |= {name: make() for name, make in (FAILURES | JOINING | FLASH_CASES | NETWORKS).items()}
    return {
        "about": "short conversations, each with a unit of its own, which is new or finds before in its flash"
        " (PROTOCOL.md sections 3 to 7, 11). " + ABOUT_STEPS + ABOUT_IMAGES,
        "uid": UID.hex(),
        "entropy": conversation.ENTROPY.hex(),
        "bindings": [FIRST.in_hex(), SECOND.in_hex()],
        "conversations": [
            {"name": name.replace("_", " ")} | ({"before": flash.described()} if flash else {}) | {"steps": talk.steps}
            for name, (talk, flash) in talks.items()
        ],
    }
