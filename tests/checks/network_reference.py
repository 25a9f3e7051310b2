# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys, control and bundles of networks from PROTOCOL.md alone (sections 11 to 13): no code of the project."""

import hashlib
import hmac
import itertools
import struct
from collections.abc import Sequence
from typing import NamedTuple

from capsule_reference import HYBRID, NOT_KNOWN, VERNAM, Message, Network, aes_ctr, clear_header, derive, xor
from ed25519_reference import public_half, signature

DATA, CONTROL, HOUSEKEEPING, MESSAGE = 0, 1, 2, 3
ADMINISTRATORS = 4
NOBODY = 0xFFFF  # a generation that is none
LAST_NUMBER = 16383
LAST_GENERATION = 65534
FIRST_OFFICE = 0xFFF0  # the lane of administrator 0
MOVES, PAST, REVOKED = 8, 6, 96  # the most that a record or notice has room for
IN, RETIRED, REVOKED_STATE = 0, 1, 2
SYMBOLS_MARK = bytes.fromhex("0073796d")  # before symbols in a capsule of kind 0
NO_PAPER = bytes(1040)  # the paper bits of control


class Operators(NamedTuple):
    digits: int
    f1: int
    f2: int


def member_key(root: bytes, lane: int, g: int) -> bytes:
    """Return M(lane, g)."""
    key = derive(root, "ndks member", struct.pack(">H", lane))
    for _ in range(g):
        key = derive(key, "ndks member next")
    return key


def hint(key: bytes) -> bytes:
    return derive(key, "ndks hint")[:4]


def epoch_secret(first: bytes, number: int) -> bytes:
    """Return E(g, number) of the generation with this G."""
    for _ in range(number):
        first = derive(first, "ndks renew")
    return first


def parameters(secret: bytes) -> tuple[str, str]:
    """Return p1 and p2 of an epoch that is not the first one of all."""
    v, w = (int.from_bytes(derive(secret, label)) for label in ("ndks p1", "ndks p2"))
    return f"0.{v % 10**40:040d}", f"{10 + w % 90}.{w // 90 % 10**40:040d}"


def network_id(secret: bytes, p1: str, p2: str, operators: Operators, suite: int = HYBRID) -> bytes:
    decimals = b"".join(bytes([len(text)]) + text.encode() for text in (p1, p2))
    chain = bytes(operators[1:]) if any(operators[1:]) else b""
    return derive(secret, "ndks network id", bytes([suite, operators.digits]) + decimals + chain)[:8]


class Generation(NamedTuple):
    g: int
    secret: bytes  # G
    operators: Operators = Operators(3, 0, 0)
    revoked: tuple[int, ...] = ()
    of_file: tuple[str, str] | None = None  # p1 and p2 of the network file, in generation 0

    @property
    def control_key(self) -> bytes:
        return derive(self.secret, "ndks control")

    @property
    def header_keys(self) -> bytes:
        return derive(self.secret, "ndks header mac") + derive(self.secret, "ndks header mask")

    @property
    def id(self) -> bytes:
        return derive(self.control_key, "ndks generation id")[:8]

    def network(self, number: int) -> Network:
        """Return what the capsules of an epoch are sealed under."""
        secret = epoch_secret(self.secret, number)
        p1, p2 = self.of_file if self.of_file and number == 0 else parameters(secret)
        names = Network(secret, p1, p2, self.operators.digits)
        f1, f2 = ("sinusoid", "polynomial", "hyperbolic"), ("cosine", "cosine_square", "cosine_cube")
        return names._replace(f1=f1[self.operators.f1], f2=f2[self.operators.f2])

    def capsule(
        self,
        kind: int,
        number: int,
        lane: int,
        n: int,
        data: bytes,
        salt: bytes,
        binding_id: bytes = NOT_KNOWN,
        **other: int,
    ) -> Message:
        """Return a capsule that is no control, of this epoch."""
        suite, cipher = other.get("suite", HYBRID), other.get("cipher", VERNAM)
        clear = epoch_header(suite, cipher, kind, number, lane, n, salt)
        return Message(self.network(number), clear, data, binding_id, first_secret=self.secret)

    def beacon(self, lane: int, n: int, number: int, term: int, salt: bytes) -> bytes:
        return self.control(lane, n, struct.pack(">BHHI", 1, self.g, number, term), salt)

    def control(self, lane: int, n: int, data: bytes, salt: bytes, **header: int) -> bytes:
        return control_capsule(self.control_key, lane, n, data, salt, self.secret, **header)


def epoch_header(suite: int, cipher: int, kind: int, number: int, lane: int, n: int, salt: bytes) -> bytes:
    return clear_header(suite, cipher, lane, n, salt, kind=number >> 8 << 2 | kind, zero=number & 0xFF)


def control_capsule(
    key: bytes, lane: int, n: int, data: bytes, salt: bytes, first_secret: bytes | None = None, **header: int
) -> bytes:
    """Return a capsule of kind 1 under C, or under a member's key."""
    suite, cipher = header.get("suite", HYBRID), header.get("cipher", VERNAM)
    clear = epoch_header(suite, cipher, header.get("kind", CONTROL), header.get("number", 0), lane, n, salt)
    return Message(Network(key, "1", "1", 1), clear, data, paper=NO_PAPER, first_secret=first_secret).capsule


def notice_data(new: Generation, merged: Sequence[Generation] = ()) -> bytes:
    data = struct.pack(">BH", 2, new.g) + bytes(new.operators) + new.secret + lanes(new.revoked)
    return data + bytes([len(merged)]) + b"".join(merged_generation(each) for each in merged)


def merged_generation(generation: Generation) -> bytes:
    head = struct.pack(">HB", generation.g, len(generation.revoked))
    return head + bytes(generation.operators) + generation.secret


def lanes(revoked: Sequence[int]) -> bytes:
    return bytes([len(revoked)]) + b"".join(struct.pack(">H", lane) for lane in revoked)


def notice(key: bytes, g: int, data: bytes, salt: bytes, **header: int) -> bytes:
    """Return a notice for the member whose key M(lane, g) this is."""
    lane, n = header.pop("lane", FIRST_OFFICE + g % ADMINISTRATORS), header.pop("n", g + 1)
    return control_capsule(key, lane, n, data, salt, **header)


class Member(NamedTuple):
    lane: int
    uid: bytes
    joined: int
    state: int = IN


def record_body(new: Generation, known: Sequence[int], members: Sequence[Member]) -> bytes:
    body = struct.pack(">BH", 1, new.g) + bytes(new.operators) + new.secret
    body += bytes([len(known)]) + b"".join(struct.pack(">H", g) for g in known)
    rows = (struct.pack(">H8sHB", *member) for member in members)
    return body + struct.pack(">H", len(members)) + b"".join(rows)


def sealed_record(root: bytes, body: bytes) -> bytes:
    key = derive(root, "ndks administrators")
    tag = hmac.digest(derive(key, "ndks seal mac"), body, hashlib.sha256)[:16]
    stream = hmac.digest(derive(key, "ndks seal enc"), tag, hashlib.sha256)
    return tag + xor(body, aes_ctr(stream, bytes(16), bytes(len(body))))


def signing_seed(root: bytes) -> bytes:
    return derive(root, "ndks bundle signature")


def signing_key(root: bytes) -> bytes:
    """Return P, by which hosts know a bundle."""
    return public_half(signing_seed(root))


def bundle(root: bytes, g: int, previous: int, notices: Sequence[tuple[bytes, bytes]], record: bytes) -> bytes:
    """Return a bundle of pairs of hint and notice."""
    unsigned = struct.pack(">BBHHHI", 0x42, 1, g, previous, len(notices), len(record))
    unsigned += b"".join(hint + struct.pack(">H", len(notice)) + notice for hint, notice in notices) + record
    return unsigned + signature(signing_seed(root), b"ndks bundle\0" + unsigned)


def ask(g: int) -> bytes:
    return struct.pack(">BH", 0x3F, g)


def pieces(packet: bytes, size: int) -> list[bytes]:
    digest, parts = hashlib.sha256(packet).digest()[:8], -(-len(packet) // size)
    bodies = (packet[start : start + size] for start in range(0, len(packet), size))
    return [struct.pack(">B8sHH", 0x46, digest, part, parts) + body for part, body in enumerate(bodies)]


def number(s: int) -> bytes:
    return s.to_bytes(6)


def message(s: int, content: int, body: bytes) -> bytes:
    return number(s) + bytes([content]) + body


def report(first: int, last: int, starts: Sequence[tuple[int, int]]) -> bytes:
    rows = (struct.pack(">H", g) + number(s) for g, s in starts)
    return b"\1" + number(first) + number(last) + bytes([len(starts)]) + b"".join(rows)


def voucher(s: int, capsule: bytes) -> bytes:
    return b"\2" + number(s) + hashlib.sha256(capsule).digest()[:16]


def ask_for(lane: int, wanted: Sequence[int]) -> bytes:
    return struct.pack(">BHB", 3, lane, len(wanted)) + b"".join(number(s) for s in wanted)


def leb128(value: int) -> bytes:
    octets = b""
    while value > 0x7F:
        octets += bytes([value & 0x7F | 0x80])
        value >>= 7
    return octets + bytes([value])


def symbols(text: str) -> bytes:
    """Return the coding of content 1 of symbols: 0, 1, and . for nothing."""
    coded = b""
    runs = ["".join(run) for _, run in itertools.groupby(text, lambda symbol: symbol == ".")]
    if runs and runs[0][0] != ".":
        runs.insert(0, "")
    for nothings, bits in itertools.zip_longest(runs[::2], runs[1::2], fillvalue=""):
        coded += leb128(len(nothings)) + leb128(len(bits)) + packed(bits)
    return coded


def symbol_runs(coded: bytes) -> list[tuple[int, str]] | None:
    """Return the runs in a coding of symbols, None for what is none: read leniently, and then coded once more."""
    runs: list[tuple[int, str]] = []
    rest = coded
    while rest:
        counts: list[int] = []
        for _ in range(2):
            octets = [*itertools.takewhile(lambda octet: octet > 0x7F, rest), 0]
            if len(octets) > len(rest):
                return None
            octets[-1] = rest[len(octets) - 1]
            counts.append(sum((octet & 0x7F) << 7 * place for place, octet in enumerate(octets)))
            rest = rest[len(octets) :]
        size = -(-counts[1] // 8)
        if len(rest) < size or max(counts) >= 1 << 63:
            return None
        runs.append((counts[0], "".join(f"{octet:08b}" for octet in rest[:size])[: counts[1]]))
        rest = rest[size:]
    return runs if symbols_of_runs(runs) == coded else None


def symbols_of_runs(runs: Sequence[tuple[int, str]]) -> bytes:
    """Return the coding of any runs, of which some may be empty: those without a silence between them are one."""
    whole: list[tuple[int, str]] = []
    for nothings, bits in runs:
        if whole and not whole[-1][1]:
            whole[-1] = whole[-1][0] + nothings, bits
        elif whole and not nothings:
            whole[-1] = whole[-1][0], whole[-1][1] + bits
        else:
            whole.append((nothings, bits))
    return b"".join(leb128(count) + leb128(len(bits)) + packed(bits) for count, bits in whole if count or bits)


def packed(bits: str) -> bytes:
    size = -(-len(bits) // 8)
    return int(bits.ljust(8 * size, "0") or "0", 2).to_bytes(size)
