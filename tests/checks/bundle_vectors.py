# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of what hosts send each other: bundles with records, asks, pieces; messages, reports, vouchers."""

import hashlib
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from ed25519_reference import L, is_signed, public_half, signature
from network_reference import (
    IN,
    LAST_GENERATION,
    NOBODY,
    RETIRED,
    REVOKED_STATE,
    SYMBOLS_MARK,
    Generation,
    Member,
    ask,
    ask_for,
    bundle,
    hint,
    leb128,
    member_key,
    message,
    notice,
    notice_data,
    pieces,
    record_body,
    report,
    sealed_record,
    signing_key,
    signing_seed,
    symbols,
    voucher,
)
from network_vectors import GENERATIONS, PLAIN, ROOT, SALT, described, many

# RFC 8032, section 7.1: seed, public key, message, signature of TEST 1 to 3
RFC_8032 = (
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)
LAST_S = (1 << 48) - 1
LARGEST_PIECE = 1200


class Issue(NamedTuple):
    """A generation as an administrator makes it: for whom, and what was known before."""

    new: Generation
    previous: int
    known: tuple[int, ...]
    members: tuple[Member, ...]
    merged: tuple[Generation, ...] = ()


def member(lane: int, joined: int, state: int = IN) -> Member:
    return Member(lane, hashlib.sha256(b"uid %d" % lane).digest()[:8], joined, state)


def issues() -> Iterator[Issue]:
    founders = member(1, 0), member(4, 0), member(258, 1)
    yield Issue(GENERATIONS[0], NOBODY, (), founders[:2])
    yield Issue(GENERATIONS[1], 0, (0,), (founders[0], member(4, 0, REVOKED_STATE), founders[2]))
    last = founders[0], member(4, 0, REVOKED_STATE), member(5, 5), member(258, 1, REVOKED_STATE), member(0xFFEF, 6)
    yield Issue(GENERATIONS[2], 5, (0, 1, 5), (*last, member(8, 2, RETIRED)), GENERATIONS[:2])
    known = tuple(range(LAST_GENERATION - 8, LAST_GENERATION))
    revoked = tuple(member(lane, 9, REVOKED_STATE) for lane in many(96))
    yield Issue(Generation(LAST_GENERATION, ROOT[::-1], PLAIN, many(96)), known[-1], known, (member(1, 0), *revoked))


def made(issue: Issue) -> dict[str, Any]:
    new, inside = issue.new, [each for each in issue.members if each.state == IN]
    entries: list[tuple[bytes, bytes]] = []
    for lane, _, joined, _ in inside:
        merged = [side for side in issue.merged if side.g >= joined]
        key = member_key(ROOT, lane, new.g)
        entries.append((hint(key), notice(key, new.g, notice_data(new, merged), SALT)))
    body = record_body(new, issue.known, issue.members)
    record = sealed_record(ROOT, body)
    whole = bundle(ROOT, new.g, issue.previous, entries, record)
    sides = sum(sum(side.g >= each.joined for side in issue.merged) for each in inside)
    rows = 13 * len(issue.members) + 2 * len(issue.known) + 133
    assert len(whole) == len(inside) * (115 + 2 * len(new.revoked)) + 38 * sides + rows
    return described(new) | {
        "previous": issue.previous,
        "known": list(issue.known),
        "members": [[each.lane, each.uid.hex(), each.joined, each.state] for each in issue.members],
        "notices": [[each.lane, *(part.hex() for part in entry)] for each, entry in zip(inside, entries, strict=True)],
        "body": body.hex(),
        "record": record.hex(),
        "bundle": whole.hex(),
    }


def make_bundles() -> dict[str, Any]:
    good = [made(issue) for issue in issues()]
    rng = random.Random(20261128)
    packet = rng.randbytes(3000)
    return {
        "about": "bundles of the network of network_keys.json, with salt in each notice (PROTOCOL.md section 13); the"
        " merge has other generations in the notices of those who were members of them. bad: no host keeps them. Also"
        " asks, pieces, and Ed25519: the first three are of RFC 8032, section 7.1",
        "root": ROOT.hex(),
        "signing_key": signing_key(ROOT).hex(),
        "salt": SALT.hex(),
        "good": good,
        "bad": list(bad_bundles(bytes.fromhex(good[1]["bundle"]))),
        "bad_records": list(bad_records(bytes.fromhex(good[1]["record"]), bytes.fromhex(good[1]["body"]))),
        "asks": [[g, ask(g).hex()] for g in (0, 1, 258, LAST_GENERATION, NOBODY)],
        "packet": packet.hex(),
        "pieces": [[piece.hex() for piece in pieces(packet, size)] for size in (LARGEST_PIECE, 1000, 1500 // 2)],
        "bad_pieces": list(bad_pieces(pieces(packet, LARGEST_PIECE)[2])),
        "ed25519": list(signatures()),
    }


def bad_bundles(whole: bytes) -> Iterator[dict[str, str]]:
    unsigned, signed = whole[:-64], whole[-64:]
    seed = signing_seed(ROOT)

    def refused(why: str, changed: bytes) -> dict[str, str]:
        return {"why": why, "bundle": changed.hex()}

    def signed_again(why: str, changed: bytes) -> dict[str, str]:
        return refused(why, changed + signature(seed, b"ndks bundle\0" + changed))

    yield refused("nothing", b"")
    yield refused("the two first bytes", whole[:2])
    yield refused("a head without a signature", whole[:12])
    yield refused("cut short", whole[:-1])
    yield refused("a byte more", whole + b"\0")
    for what, position in {"g": 3, "previous": 5, "a hint": 12, "a notice": 40, "the record": -70, "S": -1}.items():
        changed = bytearray(whole)
        changed[position] ^= 1
        yield refused(f"a bit of {what}", bytes(changed))
    yield refused("S that is not reduced", unsigned + signed[:32] + not_reduced(signed[32:]))
    yield refused("another root's", unsigned + signature(signing_seed(bytes(32)), b"ndks bundle\0" + unsigned))
    yield refused("signed without the label", unsigned + signature(seed, unsigned))
    for why, changed in {
        "signed, version 0": b"\x42\0" + unsigned[2:],
        "signed, version 2": b"\x42\2" + unsigned[2:],
        "signed, another first byte": b"\x43" + unsigned[1:],
        "signed, a notice more than there are": unsigned[:7] + bytes([unsigned[7] + 1]) + unsigned[8:],
        "signed, a notice fewer than there are": unsigned[:7] + bytes([unsigned[7] - 1]) + unsigned[8:],
        "signed, a record that is too long": unsigned[:11] + bytes([unsigned[11] + 1]) + unsigned[12:],
        "signed, a record that is too short": unsigned[:11] + bytes([unsigned[11] - 1]) + unsigned[12:],
        "signed, a notice that is too long": unsigned[:16] + b"\xff\xff" + unsigned[18:],
        "signed, generation FFFF": unsigned[:2] + b"\xff\xff" + unsigned[4:],
        "signed, previous is itself": unsigned[:4] + unsigned[2:4] + unsigned[6:],
    }.items():
        yield signed_again(why, changed)


def not_reduced(s: bytes) -> bytes:
    return (int.from_bytes(s, "little") + L).to_bytes(32, "little")


def bad_records(record: bytes, body: bytes) -> Iterator[dict[str, str]]:
    def refused(why: str, changed: bytes) -> dict[str, str]:
        return {"why": why, "record": changed.hex()}

    yield refused("nothing", b"")
    yield refused("cut short", record[:-1])
    yield refused("a bit of the tag", bytes([record[0] ^ 1]) + record[1:])
    yield refused("a bit of the body", record[:20] + bytes([record[20] ^ 1]) + record[21:])
    yield refused("another root's", sealed_record(bytes(32), body))
    for why, changed in {
        "an empty body": b"",
        "version 2": b"\2" + body[1:],
        "a body cut short": body[:-1],
        "a byte more": body + b"\0",
        "state 3": body[:-1] + b"\3",
    }.items():
        yield refused(why, sealed_record(ROOT, changed))


def bad_pieces(piece: bytes) -> Iterator[dict[str, str]]:
    yield {"why": "no bytes of the packet", "piece": piece[:13].hex()}
    yield {"why": "a part that is none", "piece": (piece[:9] + piece[11:13] + piece[11:]).hex()}
    yield {"why": "more than 1200 bytes", "piece": (piece[:13] + bytes(LARGEST_PIECE + 1)).hex()}
    yield {"why": "one part", "piece": (piece[:9] + b"\0\0\0\1" + piece[13:]).hex()}


def signatures() -> Iterator[dict[str, str]]:
    rng = random.Random(20261128)
    own = [(rng.randbytes(32), rng.randbytes(size)) for size in (0, 1, 64, 1023)]
    cases = [(bytes.fromhex(seed), bytes.fromhex(text)) for seed, _, text, _ in RFC_8032] + own
    for seed, text in cases:
        named = {"seed": seed, "public": public_half(seed), "message": text, "signature": signature(seed, text)}
        assert is_signed(named["public"], text, named["signature"])
        yield {name: value.hex() for name, value in named.items()}


def make_housekeeping() -> dict[str, Any]:
    capsule = GENERATIONS[1].capsule(3, 5, 1, 9, message(258, 0, b"PAY 0100"), SALT)
    return {
        "about": "the data of capsules of kind 3 (messages) and 2 (reports, vouchers, asks), PROTOCOL.md section 12;"
        " the voucher is of the capsule: of lane 1, n = 9 and epoch 5 of generation 1, with message 258. symbols: 0, 1,"
        " and . for nothing, with their coding; large runs are given as [nothings, bits], marked ones as in a capsule"
        " of kind 0. bad: what no receiver takes",
        "messages": [
            {"s": s, "content": content, "bytes": body.hex(), "data": message(s, content, body).hex()}
            for s, content, body in ((1, 0, b""), (258, 0, b"PAY 0100"), (LAST_S, 1, symbols("01.1")))
        ],
        "reports": [
            {"first": first, "last": last, "starts": starts, "data": report(first, last, starts).hex()}
            for first, last, starts in report_cases()
        ],
        "capsule": capsule.capsule.hex(),
        "vouchers": [{"s": 258, "data": voucher(258, capsule.capsule).hex()}],
        "asks": [
            {"lane": lane, "s": wanted, "data": ask_for(lane, wanted).hex()}
            for lane, wanted in ((1, [1]), (0xFFEF, [5, 6, LAST_S]), (9, list(range(1, 33))))
        ],
        "bad_messages": [{"why": why, "data": data.hex()} for why, data in bad_messages()],
        "bad_housekeeping": [{"why": why, "data": data.hex()} for why, data in bad_housekeeping(capsule.capsule)],
        "symbols": [[text, symbols(text).hex()] for text in symbol_cases()],
        "marked_symbols": [[text, (SYMBOLS_MARK + symbols(text)).hex()] for text in ("", "..0.11..")],
        "long_silences": [[count, bits, coded.hex()] for count, bits, coded in silences()],
        "bad_symbols": [{"why": why, "data": data.hex()} for why, data in bad_symbols()],
    }


def silences() -> Iterator[tuple[int, str, bytes]]:
    for count, bits in ((1 << 20, "11"), (1 << 62, "110"), ((1 << 63) - 1, "1100")):
        yield count, bits, leb128(count) + leb128(len(bits)) + b"\xc0"


def report_cases() -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    yield 1, 1, [(0, 1)]
    yield 7, 300, [(0, 7), (1, 258)]
    yield 5, 400, [(6, 5), (1, 6), (9, 390)]  # an old image was put back: in order of s
    yield 1, LAST_S, [(g, 1 + g * 1000) for g in range(16)]
    yield 5, 4, []  # nothing is kept


def bad_messages() -> Iterator[tuple[str, bytes]]:
    yield "nothing", b""
    yield "no content", bytes(5) + b"\1"
    yield "s is 0", message(0, 0, b"x")
    yield "content 2", message(1, 2, b"x")


def bad_housekeeping(capsule: bytes) -> Iterator[tuple[str, bytes]]:
    one = report(1, 9, [(0, 1)])
    yield "nothing", b""
    yield "type 0", b"\0" + one[1:]
    yield "type 4", b"\4" + one[1:]
    yield "a report, cut short", one[:-1]
    yield "a report and a byte", one + b"\0"
    yield "a report that ends before its count", one[:13]
    yield "a report with 17 generations", report(1, 99, [(g, 1 + g) for g in range(17)])
    yield "a report whose generations are not in order of s", report(1, 9, [(0, 5), (1, 4)])
    yield "a report of a generation behind its last message", report(1, 9, [(0, 1), (1, 10)])
    yield "a report whose first is 0", report(0, 9, [(0, 1)])
    yield "a report whose first is two behind its last", report(5, 3, [])
    yield "a voucher, cut short", voucher(1, capsule)[:-1]
    yield "a voucher and a byte", voucher(1, capsule) + b"\0"
    yield "a voucher for message 0", voucher(0, capsule)
    yield "an ask, cut short", ask_for(1, [1, 2])[:-1]
    yield "an ask and a byte", ask_for(1, [1, 2]) + b"\0"
    yield "an ask without its count", ask_for(1, [])[:-1]
    yield "an ask for 33 messages", ask_for(1, list(range(1, 34)))
    yield "an ask for message 0", ask_for(1, [0])


def symbol_cases() -> Iterator[str]:
    yield from ("", "0", "1", ".", "10110010", "101100101", ".1", "1.", "..0.11..", "0" * 127, "1" * 128, "." * 300)
    yield "01" * 70 + "." * 16384 + "1"
    rng = random.Random(20261128)
    for size in (9, 40, 400):
        yield "".join(rng.choice("01..") for _ in range(size))


def bad_symbols() -> Iterator[tuple[str, bytes]]:
    yield "a run without its count of bits", b"\3"
    yield "bits that are missing", b"\0\x09\xff"
    yield "a count cut short", b"\x80"
    yield "a count that is not the shortest", b"\x80\0\1\x80"
    yield "a count of 2^63", leb128(1 << 63) + b"\1\x80"
    yield "a count of 2^64 and more", leb128(1 << 70) + b"\1\x80"
    yield "a run of nothing at all", b"\0\0"
    yield "a later run that begins without a nothing", b"\1\1\x80\0\1\x80"
    yield "no bits in a run that is not the last", b"\1\0\1\1\x80"
    yield "padding that is not 0", b"\0\1\x81"
    yield "a byte more", b"\0\1\x80\0"
