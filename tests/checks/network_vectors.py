# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of networks of units: keys, control, records of flash."""

import hashlib
import random
import struct
from collections.abc import Iterator, Sequence
from typing import Any

from capsule_reference import AES, HYBRID, PAPER, VERNAM, derive
from conversation import FIRST, SECOND
from flash_reference import record
from generation_records import FIRST_KEY, GENERATION, PAST_GENERATIONS, Past, Present, first_key_body, past_body
from network_reference import (
    CONTROL,
    FIRST_OFFICE,
    HOUSEKEEPING,
    LAST_GENERATION,
    LAST_NUMBER,
    MESSAGE,
    PAST,
    REVOKED,
    Generation,
    Operators,
    control_capsule,
    epoch_header,
    epoch_secret,
    hint,
    lanes,
    member_key,
    merged_generation,
    network_id,
    notice,
    notice_data,
    signing_key,
    signing_seed,
)

BINDINGS = FIRST, SECOND
ROOT = hashlib.sha256(b"root").digest()
SALT = b"saltsalt"
NUMBERS = (0, 1, 2, 255, 256, 4096, LAST_NUMBER)
LANES = (1, 4, 258, 0xFFEF)
PLAIN, CUBES = Operators(3, 0, 0), Operators(12, 2, 2)
GENERATIONS = (
    Generation(0, bytes(range(32)), PLAIN, (), ("0.52", "25")),
    Generation(1, hashlib.sha256(b"generation 1").digest(), PLAIN, (4,)),
    Generation(6, hashlib.sha256(b"generation 6").digest(), CUBES, (4, 258)),
    Generation(LAST_GENERATION, hashlib.sha256(b"the last generation").digest(), Operators(9, 1, 1), (258,)),
)


def many(count: int) -> tuple[int, ...]:
    """Return so many lanes in order, with the first and the last one."""
    return (*range(4, 4 * count, 4), 0xFFEE)[-count:] if count else ()


def make_network_keys() -> dict[str, Any]:
    return {
        "about": "the keys of a network (PROTOCOL.md section 11). number is that of the epoch in its generation",
        "root": ROOT.hex(),
        "administrators_key": derive(ROOT, "ndks administrators").hex(),
        "signing_seed": signing_seed(ROOT).hex(),
        "signing_key": signing_key(ROOT).hex(),
        "members": [of_member(lane, g) for lane in LANES for g in (0, 1, 2, 6, 4096, LAST_GENERATION)],
        "generations": [of_generation(generation) for generation in GENERATIONS],
    }


def of_member(lane: int, g: int) -> dict[str, Any]:
    key = member_key(ROOT, lane, g)
    return {"lane": lane, "g": g, "member_key": key.hex(), "hint": hint(key).hex()}


def of_generation(generation: Generation) -> dict[str, Any]:
    header_keys = generation.header_keys
    return described(generation) | {
        "header_mac_key": header_keys[:32].hex(),
        "header_mask_key": header_keys[32:].hex(),
        "control_key": generation.control_key.hex(),
        "generation_id": generation.id.hex(),
        "epochs": [of_epoch(generation, number) for number in NUMBERS],
    }


def of_epoch(generation: Generation, number: int) -> dict[str, Any]:
    secret, p1, p2 = generation.network(number)[:3]
    ids = {"network_id": network_id(secret, p1, p2, generation.operators).hex()}
    return {"number": number, "epoch": generation.g << 16 | number, "secret": secret.hex(), "p1": p1, "p2": p2} | ids


def described(generation: Generation) -> dict[str, Any]:
    """Return what a notice says of a generation."""
    names = {"d": generation.operators.digits, "f1": generation.operators.f1, "f2": generation.operators.f2}
    return {"g": generation.g, "secret": generation.secret.hex(), "revoked": list(generation.revoked)} | names


def make_control() -> dict[str, Any]:
    return {
        "about": "headers with kinds and numbers, beacons and notices (PROTOCOL.md section 11), for the generations of"
        " network_keys.json. A bad beacon comes to a unit in generation, which of them; a bad notice to the unit on"
        " lane as NOTICE of g, with the member key of g. merged: of a generation, r is the count of its revoked lanes",
        "headers": [header(*case) for case in header_cases()],
        "beacons": [beacon(*case) for case in beacon_cases()],
        "bad_beacons": list(bad_beacons()),
        "notices": [good_notice(*case) for case in notice_cases()],
        "bad_notices": [{"lane": 1, "g": 6} | case for case in bad_notices()],
    }


def header_cases() -> Iterator[tuple[Any, ...]]:
    for kind in (0, HOUSEKEEPING, MESSAGE):
        for number, lane, n in zip(NUMBERS, (1, 2, 3, 4, 255, 0xFFEF, 9), range(1, 8), strict=True):
            yield (number + kind) % 4, (PAPER, HYBRID)[number % 2], (AES, VERNAM)[n % 2], kind, number, lane, n
    yield 1, HYBRID, VERNAM, CONTROL, 0, 5, (1 << 48) - 1


def header(which: int, suite: int, cipher: int, kind: int, number: int, lane: int, n: int) -> dict[str, Any]:
    clear = epoch_header(suite, cipher, kind, number, lane, n, SALT)
    generation = GENERATIONS[which]
    whole = generation.capsule(kind, number, lane, n, b"", SALT, suite=suite, cipher=cipher).header
    fields = {"suite": suite, "cipher": cipher, "kind": kind, "number": number, "lane": lane, "n": n}
    return {"generation": which} | fields | {"salt": SALT.hex(), "H": clear.hex(), "wire": whole.hex()}


def beacon_cases() -> Iterator[tuple[int, int, int, int, int]]:
    yield 0, 1, 1, 0, 0
    yield 0, 2, 2, 1, 1
    yield 1, 0xFFEF, 1 << 40, 300, 7
    yield 3, 258, (1 << 48) - 1, LAST_NUMBER, 0xFFFFFFFF


def beacon(which: int, lane: int, n: int, number: int, term: int) -> dict[str, Any]:
    capsule = GENERATIONS[which].beacon(lane, n, number, term, SALT)
    assert len(capsule) == 78
    data = struct.pack(">BHHI", 1, GENERATIONS[which].g, number, term)
    fields = {"lane": lane, "n": n, "salt": SALT.hex(), "number": number, "term": term}
    return {"generation": which} | fields | {"data": data.hex(), "capsule": capsule.hex()}


def bad_beacons() -> Iterator[dict[str, Any]]:
    here, other = GENERATIONS[1], GENERATIONS[2]

    def data(kind: int = 1, g: int = 1, number: int = 5) -> bytes:
        return struct.pack(">BHHI", kind, g, number, 9)

    def refused(why: str, error: str, capsule: bytes) -> dict[str, Any]:
        return {"why": why, "error": error, "generation": 1, "capsule": capsule.hex()}

    whole = here.control(2, 1, data(), SALT)
    secret, keys = here.secret, {"key of epoch 0": here.secret, "C of another generation": other.control_key}
    yield refused("another generation's header keys", "HEADER", other.beacon(2, 1, 0, 9, SALT))
    for why, fields in {
        "suite paper": {"suite": PAPER},
        "an unknown suite": {"suite": 2},
        "cipher aes": {"cipher": AES},
        "a number in byte 4": {"number": 1},
        "a number in byte 3": {"number": 256},
    }.items():
        yield refused(why, "HEADER", here.control(2, 1, data(), SALT, **fields))
    for why, key in keys.items():
        yield refused(why, "AUTH", control_capsule(key, 2, 1, data(), SALT, secret))
    yield refused("no chunk", "AUTH", whole[:37])
    yield refused("cut short", "AUTH", whole[:-1])
    yield refused("a byte more", "AUTH", whole + b"\0")
    yield refused("the tag", "AUTH", whole[:-1] + bytes([whole[-1] ^ 1]))
    yield refused("another generation inside", "AUTH", here.control(2, 1, data(g=6), SALT))
    for kind in (0, 2, 3):
        yield refused(f"type {kind}", "AUTH", here.control(2, 1, data(kind=kind), SALT))
    yield refused("8 bytes", "AUTH", here.control(2, 1, data()[:-1], SALT))
    yield refused("10 bytes", "AUTH", here.control(2, 1, data() + b"\0", SALT))
    yield refused("number 16384", "RANGE", here.control(2, 1, data(number=LAST_NUMBER + 1), SALT))
    yield refused("number 65535", "RANGE", here.control(2, 1, data(number=0xFFFF), SALT))


def notice_cases() -> Iterator[tuple[int, Generation, Sequence[Generation]]]:
    rng = random.Random(20261128)

    def generation(g: int, revoked: int, operators: Operators = PLAIN) -> Generation:
        return Generation(g, rng.randbytes(32), operators, many(revoked))

    yield 1, GENERATIONS[0], ()
    yield 1, GENERATIONS[1], ()
    yield 1, GENERATIONS[2], (GENERATIONS[0], GENERATIONS[1])
    yield 0xFFEF, GENERATIONS[3], (GENERATIONS[2],)
    yield 2, generation(7, REVOKED), ()
    merged = [generation(g, revoked, CUBES) for g, revoked in ((1, 0), (2, 1), (3, 95), (4, 96), (5, 96), (9, 96))]
    yield 2, generation(10, REVOKED), merged[-PAST:]
    yield 3, generation(4096, 1, CUBES), merged[:1]


def good_notice(lane: int, new: Generation, merged: Sequence[Generation]) -> dict[str, Any]:
    key, data = member_key(ROOT, lane, new.g), notice_data(new, merged)
    capsule = notice(key, new.g, data, SALT)
    assert len(capsule) == 109 + 2 * len(new.revoked) + 38 * len(merged)
    others = [described(each) | {"r": len(each.revoked)} for each in merged]
    fields = {"merged": others, "salt": SALT.hex(), "data": data.hex(), "capsule": capsule.hex()}
    return {"lane": lane, "member_key": key.hex()} | described(new) | fields


def bad_notices(lane: int = 1) -> Iterator[dict[str, str]]:
    """Yield what the unit on a lane refuses as its notice of generation 6."""
    new, sides = GENERATIONS[2], GENERATIONS[:2]
    key = member_key(ROOT, lane, 6)

    def refused(
        why: str, error: str, data: bytes = notice_data(new), under: bytes = key, g: int = 6, **other: int
    ) -> dict[str, str]:
        return {"why": why, "error": error, "capsule": notice(under, g, data, SALT, **other).hex()}

    whole = notice(key, 6, notice_data(new), SALT)
    yield refused("for another lane", "HEADER", under=member_key(ROOT, 2, 6))
    yield refused("under the key of generation 5", "HEADER", under=member_key(ROOT, lane, 5))
    yield refused("under the key of generation 7", "HEADER", under=member_key(ROOT, lane, 7), g=7)
    yield refused("of another administrator", "HEADER", lane=FIRST_OFFICE)
    yield refused("of a member", "HEADER", lane=2)
    yield refused("another n", "HEADER", n=6)
    yield refused("suite paper", "HEADER", suite=PAPER)
    yield refused("cipher aes", "HEADER", cipher=AES)
    yield refused("a number", "HEADER", number=1)
    yield refused("kind 0", "HEADER", kind=0)
    yield refused("kind 3", "HEADER", kind=3)
    yield {"why": "no header", "error": "HEADER", "capsule": whole[:36].hex()}
    yield {"why": "no chunk", "error": "AUTH", "capsule": whole[:37].hex()}
    yield {"why": "cut short", "error": "AUTH", "capsule": whole[:-1].hex()}
    yield {"why": "a byte more", "error": "AUTH", "capsule": (whole + b"\0").hex()}
    yield {"why": "a bit", "error": "AUTH", "capsule": (whole[:50] + bytes([whole[50] ^ 4]) + whole[51:]).hex()}
    yield refused("nothing", "AUTH", b"")
    yield refused("generation 5 inside", "AUTH", notice_data(new._replace(g=5)))
    yield refused("a beacon", "AUTH", struct.pack(">BHHI", 1, 6, 0, 1))
    yield refused("type 1", "AUTH", b"\1" + notice_data(new)[1:])
    yield refused("a byte less", "AUTH", notice_data(new)[:-1])
    yield refused("a byte too many", "AUTH", notice_data(new) + b"\0")
    yield refused("a merged generation cut short", "AUTH", notice_data(new, sides)[:-1])
    yield refused("a lane that is not there", "AUTH", notice_data(new)[:38] + b"\xff" + notice_data(new)[39:])
    start = notice_data(new)[:38]
    for why, revoked in {
        "97 lanes": many(97),
        "lanes that descend": (258, 4),
        "a lane twice": (4, 4),
        "the own lane": tuple(sorted((lane, 4))),
    }.items():
        yield refused(why, "RANGE", start + lanes(revoked) + b"\0")
    for why, merged in {
        "7 merged generations": [Generation(g, new.secret) for g in (0, 1, 2, 3, 4, 5, 5)],
        "merged generations that descend": sides[::-1],
        "a merged generation twice": (sides[0], sides[0]),
        "the own generation, merged": (new,),
        "a later generation, merged": (Generation(7, new.secret),),
    }.items():
        rows = b"".join(merged_generation(each) for each in merged)
        yield refused(why, "RANGE", start + lanes(new.revoked) + bytes([len(merged)]) + rows)
    for operators in ((0, 0, 0), (13, 0, 0), (3, 3, 0), (3, 0, 3)):
        wrong = new._replace(operators=Operators(*operators))
        yield refused(f"operators {operators}", "RANGE", notice_data(wrong))
        merging = notice_data(new, [sides[0]._replace(operators=Operators(*operators))])
        yield refused(f"operators {operators}, merged", "RANGE", merging)


def make_generation_records() -> dict[str, Any]:
    present = present_cases()
    past = [[], [Past(GENERATIONS[0], 3, 1)], [Past(each, 9, 8) for each in GENERATIONS[:3]], most_past()]
    bodies = [(GENERATION, case.body) for case in present]
    bodies += [(PAST_GENERATIONS, past_body(case)) for case in past]
    first = [(g, member_key(ROOT, 1, g), mode) for g, mode in ((0, 0), (6, 1), (LAST_GENERATION, 2))]
    bodies += [(FIRST_KEY, first_key_body(*case)) for case in first]
    assert len(present[0].body) == 221
    assert len(present[-1].body) == 221 + 2 * REVOKED
    assert len(past_body(most_past())) == 106 * PAST
    return {
        "about": "records 20 to 22 (PROTOCOL.md section 7): the fields of some, and all as they lie in flash, sealed"
        " under each of bindings, with the sequence number seq",
        "bindings": [binding.in_hex() for binding in BINDINGS],
        "generations": [of_present(case) for case in present],
        "past": [[of_past(each) for each in case] for case in past],
        "first_keys": [
            {"g": g, "member_key": key.hex(), "mode": mode, "body": first_key_body(g, key, mode).hex()}
            for g, key, mode in first
        ],
        "records": [
            {
                "type": kind,
                "seq": seq,
                "body": body.hex(),
                "records": [record(kind, seq, body, by).hex() for by in BINDINGS],
            }
            for seq, (kind, body) in enumerate(bodies, 5)
        ],
    }


def present_cases() -> list[Present]:
    keys = [member_key(ROOT, 1, each.g + 1) for each in GENERATIONS[:3]]
    usual, late, largest = GENERATIONS[1], GENERATIONS[2], GENERATIONS[1]._replace(revoked=many(REVOKED))
    return [
        Present(GENERATIONS[0], keys[0], settled=0),
        Present(usual, keys[1], 3, 0, (0, 1, 2), 1),
        Present(late, keys[2], 4100, 5, (5, 6, 7, 8, 9, 10, 4000, 4099), 2, 0),
        Present(late, keys[2], LAST_NUMBER, LAST_NUMBER - 8, tuple(range(LAST_NUMBER - 8, LAST_NUMBER)), 0, 2),
        Present(largest, keys[1], 1, 0, (0,), 0, 2),
    ]


def most_past() -> list[Past]:
    rng = random.Random(20261127)
    generations = [Generation(g, rng.randbytes(32), CUBES, many(REVOKED)) for g in range(60, 60 + PAST)]
    return [Past(each, number, number // 2) for each, number in zip(generations, (0, 1, 2, 9, 60, 4097), strict=True)]


def of_present(case: Present) -> dict[str, Any]:
    fields = {"number": case.number, "low": case.low, "moves": list(case.moves), "mode": case.mode}
    keys = {"settled": case.settled, "member_key": case.member_key.hex(), "body": case.body.hex()}
    return described(case.generation) | fields | keys


def of_past(case: Past) -> dict[str, Any]:
    generation = described(case.generation)
    count = {"r": len(generation.pop("revoked")), "number": case.number, "low": case.low}
    secret = epoch_secret(case.generation.secret, case.low)
    return generation | count | {"low_secret": secret.hex(), "body": case.body.hex()}
