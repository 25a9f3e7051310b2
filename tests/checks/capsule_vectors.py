# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of capsules: good ones, bad ones with the name of their error, and windows."""

import hashlib
import itertools
import random
from typing import Any

from capsule_reference import (
    AES,
    HYBRID,
    MAX_JUMP,
    NOT_KNOWN,
    PAPER,
    VERNAM,
    WINDOW,
    WIRE_HEADER,
    Message,
    Network,
    chunk,
    clear_header,
    paper_bytes,
    pattern,
    suite_network,
)

SEED = 20261123
DATA_SIZES = (
    *(0, 1, 7, 8, 9, 1000, 1007, 1008, 1009, 1015, 1016, 1017, 1024, 1031, 1032, 1033),
    *(2031, 2032, 2033, 2040, 2041, 3000),
)
SENDERS = ((1, 1), (2, 255), (3, 256), (255, 1 << 16), (256, (1 << 32) - 1), (32768, 1 << 47), (65535, (1 << 48) - 1))


def capsule_networks() -> list[Network]:
    """Return the network of suite.json, and others with parameters like those that `ndks network new` draws."""
    rng = random.Random(SEED)
    others: list[Network] = []
    for digits in (1, 3, 6, 9, 12):
        p1, p2 = f"0.{rng.randrange(10**40):040d}", f"{rng.randrange(10, 100)}.{rng.randrange(10**40):040d}"
        others.append(Network(rng.randbytes(32), p1, p2, digits))
    chains = [
        Network(rng.randbytes(32), p1, "-31.5", digits, f1, f2)
        for p1, digits, f1, f2 in (
            ("0.52", 3, "polynomial", "cosine"),
            ("-1.25", 9, "sinusoid", "cosine_square"),
            ("1000", 12, "hyperbolic", "cosine_cube"),
        )
    ]
    return [suite_network(), *others, *chains]


def make_capsules() -> dict[str, Any]:
    networks = capsule_networks()
    return {
        "about": "capsules (PROTOCOL.md section 4). Byte i of the data of a good one is i mod 251; large ones are given"
        " by their SHA-256. A bad one comes to a unit of this suite and lane, which knows this binding id of the"
        " sender. A window is a list of [number, leave, result], which are accepted in order.",
        "networks": [described(network) for network in networks],
        "good": good_capsules(networks),
        "bad": bad_capsules(networks),
        "windows": windows(),
    }


def described(network: Network) -> dict[str, Any]:
    values = {"secret": network.secret.hex(), "p1": network.p1, "p2": network.p2, "d": network.digits}
    return values | ({"f1": network.f1, "f2": network.f2} if any(network.operators) else {})


def good_capsules(networks: list[Network]) -> list[dict[str, Any]]:
    rng = random.Random(SEED)
    senders = itertools.cycle(SENDERS)
    kinds = list(itertools.product((PAPER, HYBRID), (VERNAM, AES)))
    cases = [(0, size, suite, cipher) for size in DATA_SIZES for suite, cipher in kinds]
    cases += [
        (i, size, suite, cipher)
        for i, network in enumerate(networks[1:], 1)
        for size in (9, 40 if any(network.operators) else 1100)
        for suite, cipher in kinds
    ]
    good: list[dict[str, Any]] = []
    for network, size, suite, cipher in cases:
        lane, number = next(senders)
        salt, binding_id = rng.randbytes(8), rng.choice((NOT_KNOWN, rng.randbytes(16)))
        clear = clear_header(suite, cipher, lane, number, salt)
        capsule = Message(networks[network], clear, pattern(size), binding_id).capsule
        header = {"network": network, "suite": suite, "cipher": cipher, "lane": lane, "n": number, "salt": salt.hex()}
        whole = {"capsule": capsule.hex()} if size < 100 else {"sha256": hashlib.sha256(capsule).hexdigest()}
        good.append({**header, "binding_id": binding_id.hex(), "size": size, **whole})
    return good


def bad_capsules(networks: list[Network]) -> list[dict[str, Any]]:
    network, other = networks[:2]
    binding_id = bytes(range(16))
    cases = bad_headers(network, other) + bad_chunks(network) + bad_ends(network, binding_id)
    common = {"network": 0, "suite": HYBRID, "own_lane": 1, "binding_id": binding_id.hex()}
    return [{**common, "why": why, "error": error, "capsule": capsule.hex()} for why, error, capsule in cases]


def bad_headers(network: Network, other: Network) -> list[tuple[str, str, bytes]]:
    def sealed(suite: int = HYBRID, cipher: int = AES, lane: int = 2, number: int = 5, **fields: int) -> bytes:
        return Message(network, clear_header(suite, cipher, lane, number, b"saltsalt", **fields), b"data").capsule

    def flipped(position: int) -> bytes:
        good = bytearray(sealed())
        good[position] ^= 0x10
        return bytes(good)

    stranger = Message(other, clear_header(HYBRID, AES, 2, 5, b"saltsalt"), b"data").capsule
    return [
        ("version 0", "VERSION", sealed(version=0)),
        ("version 2", "VERSION", sealed(version=2)),
        ("version 255", "VERSION", sealed(version=255)),
        ("version 2, cut short", "VERSION", b"\2"),
        ("a text", "VERSION", b"To whom it may concern"),
        ("nothing", "HEADER", b""),
        ("the version alone", "HEADER", b"\1"),
        ("36 bytes", "HEADER", sealed()[: WIRE_HEADER - 1]),
        ("first bit of the tag", "HEADER", flipped(1)),
        ("last byte of the tag", "HEADER", flipped(16)),
        ("masked suite", "HEADER", flipped(17)),
        ("masked salt", "HEADER", flipped(36)),
        ("another network's", "HEADER", stranger),
        ("lane 0", "HEADER", sealed(lane=0)),
        ("n 0", "HEADER", sealed(number=0)),
        ("lane 0, n 0", "HEADER", Message(network, clear_header(HYBRID, AES, 0, 1, bytes(8)), b"").capsule),
        ("cipher 2", "HEADER", sealed(cipher=2)),
        ("cipher 255", "HEADER", sealed(cipher=255)),
        ("control of cipher aes", "HEADER", sealed(kind=1)),
        ("control of suite paper", "HEADER", sealed(suite=PAPER, cipher=VERNAM, kind=1)),
        ("control with a number in byte 4", "HEADER", sealed(cipher=VERNAM, kind=1, zero=1)),
        ("control with a number in byte 3", "HEADER", sealed(cipher=VERNAM, kind=5)),
        ("number 16383 in the other suite", "SUITE", sealed(suite=PAPER, kind=252, zero=255)),
        ("the other suite", "SUITE", sealed(suite=PAPER)),
        ("the other suite, own lane", "SUITE", sealed(suite=PAPER, lane=1)),
        ("an unknown suite", "SUITE", sealed(suite=2)),
        ("own lane", "REFLECTED", sealed(lane=1)),
        ("own lane, and altered", "REFLECTED", sealed(lane=1)[:-1]),
    ]


def bad_chunks(network: Network) -> list[tuple[str, str, bytes]]:
    short = Message(network, clear_header(HYBRID, VERNAM, 2, 6, b"saltsalt"), pattern(20))
    long = Message(network, clear_header(HYBRID, AES, 2, 7, b"saltsalt"), pattern(2400))
    full = Message(network, clear_header(PAPER + 1, VERNAM, 2, 8, b"saltsalt"), pattern(1008))
    first, second, third = long.chunks

    def altered(position: int) -> bytes:
        capsule = bytearray(short.capsule)
        capsule[position] ^= 0x80
        return bytes(capsule)

    def short_text(size: int) -> bytes:
        return short.header + chunk(short.tag_key, 0, 1, short.ciphertext[:size])

    one_chunk, open_end = full.chunks[0], chunk(full.tag_key, 0, 0, full.ciphertext)
    return [
        ("first bit of the text", "AUTH", altered(WIRE_HEADER)),
        ("in the data", "AUTH", altered(WIRE_HEADER + 12)),
        ("first byte of the tag", "AUTH", altered(-16)),
        ("last byte of the tag", "AUTH", altered(-1)),
        ("no chunk", "AUTH", short.header),
        ("a tag's half", "AUTH", short.header + bytes(8)),
        ("last byte missing", "AUTH", short.capsule[:-1]),
        ("a byte more", "AUTH", short.capsule + b"\0"),
        ("no text", "AUTH", short_text(0)),
        ("a text of 15 bytes", "AUTH", short_text(15)),
        ("last chunk missing", "AUTH", long.header + first + second),
        ("first chunk missing", "AUTH", long.header + second + third),
        ("first chunks exchanged", "AUTH", long.header + second + first + third),
        ("first chunk twice", "AUTH", long.header + first + first + third),
        ("chunk of another message", "AUTH", long.header + one_chunk[:-16] + first[-16:] + third),
        ("one more chunk", "AUTH", long.capsule + third),
        ("full last chunk not said to be the last", "AUTH", full.header + open_end),
        ("an empty chunk is the last", "AUTH", full.header + open_end + chunk(full.tag_key, 1, 1, b"")),
        ("a chunk that is too small before the last", "AUTH", short_text(16)[:-16] + third),
    ]


def bad_ends(network: Network, binding_id: bytes) -> list[tuple[str, str, bytes]]:
    """Yield capsules with correct tags that were made by another generator or at another laptop."""
    cases: list[tuple[str, str, bytes]] = []
    for cipher, name in ((VERNAM, "vernam"), (AES, "aes")):
        clear = clear_header(HYBRID, cipher, 3, 9, b"saltsalt")
        paper = bytearray(paper_bytes(network, int.from_bytes(clear[5:13]), 1200))
        paper[31] ^= 1
        diverged = bytes(paper)
        good = Message(network, clear, pattern(1100), binding_id)
        cases += [
            (f"{name}: a paper bit", "DIVERGED", Message(network, clear, pattern(1100), binding_id, diverged).capsule),
            (f"{name}: a bit of the check value", "DIVERGED", good.forged(-1)),
            (
                f"{name}: a paper bit, another laptop",
                "DIVERGED",
                Message(network, clear, b"x" * 30, NOT_KNOWN, diverged).capsule,
            ),
            (f"{name}: another laptop", "BINDING", Message(network, clear, b"", bytes(15) + b"\1").capsule),
            (f"{name}: an unbound laptop", "BINDING", Message(network, clear, pattern(1100)).capsule),
            (f"{name}: a bit of the sync word", "BINDING", good.forged(0)),
        ]
    return cases


def windows() -> list[list[tuple[int, int, str]]]:
    rng = random.Random(SEED)
    far = MAX_JUMP
    near = [(rng.randrange(1, 700), 0) for _ in range(120)]
    jumps = [(max(1, min(far * rng.randrange(4) + rng.randrange(-300, 300), (1 << 48) - 1)), 0) for _ in range(60)]
    ends = [(1, 0), (2, 0), (1, 0), (256, 0), (1, 0), (257, 0), (1, 0), (2, 0), (3, 0), (513, 0), (258, 0), (257, 0)]
    top = (1 << 48) - 1
    leaves = [(far, 0), (2 * far, 0), (3 * far + 1, 0), (3 * far + 1, 1), (top, 0), (top, 1), (top - 255, 0)]
    leaves += [(top - 256, 1), (top, 1), (top - 255, 1), (top - 254, 0)]
    return [window_results(steps) for steps in (ends, leaves, [(far + 1, 0), (far, 0), (1, 0)], near, jumps)]


def window_results(steps: list[tuple[int, int]]) -> list[tuple[int, int, str]]:
    accepted: set[int] = set()
    results: list[tuple[int, int, str]] = []
    for number, allow_jump in steps:
        top = max(accepted, default=0)
        result = "OK"
        if number <= top - WINDOW:
            result = "TOO_OLD"
        elif number in accepted:
            result = "DUPLICATE"
        elif number > top + MAX_JUMP and not allow_jump:
            result = "TOO_FAR"
        else:
            accepted.add(number)
        results.append((number, allow_jump, result))
    return results
