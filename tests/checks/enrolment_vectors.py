# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of ENROL: the fields of a package, and the package (PROTOCOL.md section 6)."""

import random
import struct
from typing import Any, NamedTuple

from conversation import text
from network_reference import LAST_GENERATION, Operators, member_key
from network_vectors import CUBES, PLAIN, ROOT
from package_vectors import Package

SEED = 20261130
LARGEST_FIELDS = 237


class Enrolment(NamedTuple):
    """What a package brings to a unit."""

    lane: int
    g: int
    suite: int = 1
    cipher: int = 0
    operators: Operators = PLAIN
    name: str = "demo"
    p1: str = "0.52"
    p2: str = "25"
    mode: int = 0

    @property
    def key(self) -> bytes:
        return member_key(ROOT, self.lane, self.g)

    @property
    def fields(self) -> bytes:
        head = struct.pack(">HH32sBBB", self.lane, self.g, self.key, self.suite, self.cipher, self.operators.digits)
        texts = text(self.name) + text(self.p1) + text(self.p2)
        return head + texts + bytes([self.operators.f1, self.operators.f2, self.mode])


def enrolments() -> list[Enrolment]:
    longest = "-" + "9" * 40 + "." + "9" * 38
    return [
        Enrolment(7, 0),
        Enrolment(1, 1, mode=1),
        Enrolment(0xFFEF, 6, 0, 1, CUBES, "é" * 16, longest, longest, 2),
        Enrolment(8, LAST_GENERATION, name="n"),
    ]


def make_enrolments() -> dict[str, Any]:
    rng = random.Random(SEED)
    cases = enrolments()
    assert len(cases[2].fields) == LARGEST_FIELDS
    good = [described(each, Package(rng.randbytes(32), rng.randbytes(32), each.fields)) for each in cases]
    return {
        "about": "what ENROL brings to a unit (PROTOCOL.md section 6): fields, sealed to its joining key, with member"
        " keys of the network of network_keys.json; and fields that a unit refuses as BAD_REQUEST or RANGE",
        "good": good,
        "bad": [{"why": why, "error": error, "fields": fields.hex()} for why, error, fields in bad_fields()],
    }


def described(enrolment: Enrolment, package: Package) -> dict[str, Any]:
    values = enrolment._asdict()
    operators = values.pop("operators")
    values |= {"d": operators.digits, "f1": operators.f1, "f2": operators.f2, "member_key": enrolment.key.hex()}
    return values | package.described()


def bad_fields() -> list[tuple[str, str, bytes]]:
    good = Enrolment(7, 0)
    changes: dict[str, dict[str, Any]] = {
        "lane 0": {"lane": 0},
        "an administrator's lane": {"lane": 0xFFF0},
        "lane FFFF": {"lane": 0xFFFF},
        "suite 2": {"suite": 2},
        "cipher 2": {"cipher": 2},
        "d = 0": {"operators": Operators(0, 0, 0)},
        "d = 13": {"operators": Operators(13, 0, 0)},
        "f1 = 3": {"operators": Operators(3, 3, 0)},
        "f2 = 3": {"operators": Operators(3, 0, 3)},
        "a name of 33 bytes": {"name": "n" * 33},
        "p1 is 0": {"p1": "0.0"},
        "p2 is no decimal": {"p2": "1e9"},
        "mode 3": {"mode": 3},
    }
    refused = [(why, "RANGE", good._replace(**change).fields) for why, change in changes.items()]
    fields = good.fields
    refused.append(("generation FFFF", "RANGE", fields[:2] + b"\xff\xff" + fields[4:]))
    refused += [("a byte less", "BAD_REQUEST", fields[:-1]), ("a byte more", "BAD_REQUEST", fields + b"\0")]
    return [*refused, ("nothing", "BAD_REQUEST", b"")]
