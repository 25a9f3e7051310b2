# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of ids of keys, with HMAC and AES alone: nothing of the project is imported here."""

import hashlib
import hmac
import random
import struct
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

SEED = 20261129
LAST_RUN, LAST_SLOT = (1 << 31) - 1, (1 << 24) - 1
ONE, GROUP = 0, 1


class KeyId(NamedTuple):
    exported: bytes  # bytes 0 to 31 of the exported key n = 2^47 + 1 of the epoch
    epoch: int
    lane: int
    run: int
    slot: int
    size: int
    kind: int
    master: str
    slave: str


def derive(key: bytes, label: str, context: bytes) -> bytes:
    return hmac.digest(key, label.encode() + b"\0" + context, hashlib.sha256)


def block_of(where: KeyId, zero: int = 0, run_bit: int = 0) -> bytes:
    fields = struct.pack(">HI", where.lane, where.run | run_bit << 31)
    fields += struct.pack(">I", where.slot)[1:] + struct.pack(">HB", where.size, zero)
    master, slave = where.master.encode(), where.slave.encode()
    names = bytes([where.kind, len(master)]) + master + bytes([len(slave)]) + slave
    return fields + derive(where.exported, "ndks 014 names", struct.pack(">I", where.epoch) + fields + names)[:4]


def encrypted(exported: bytes, block: bytes) -> bytes:
    key = derive(exported, "ndks 014 id", b"")
    return Cipher(algorithms.AES256(key), modes.ECB()).encryptor().update(block)


def key_id(where: KeyId) -> bytes:
    return encrypted(where.exported, block_of(where))


def index_of(lane: int, run: int) -> int:
    return 2**47 + lane * 2**31 + run


def random_id(rng: random.Random) -> KeyId:
    size = rng.choice((1, 8, 16, 32, 33, 64, 1000, 1024))
    names = ["".join(rng.choices("ABCxyz09_é雪", k=rng.randrange(1, 40))) for _ in range(2)]
    lane, run = rng.randrange(1, 1 << 16), rng.randrange(1 << 31)
    slot = rng.randrange((1 << 24) - (size + 31) // 32 + 1)
    return KeyId(rng.randbytes(32), rng.randrange(1 << 32), lane, run, slot, size, rng.choice((ONE, GROUP)), *names)


def make_key_ids() -> dict[str, Any]:
    rng = random.Random(SEED)
    first = KeyId(bytes(range(32)), 0, 1, 0, 0, 32, ONE, "SAE_A", "SAE_B")
    last = KeyId(b"\xff" * 32, (1 << 32) - 1, (1 << 16) - 1, LAST_RUN, LAST_SLOT, 32, GROUP, "M" * 255, "G" * 255)
    good = [first, first._replace(kind=GROUP), last, *(random_id(rng) for _ in range(24))]
    bad = [
        ("byte 11 is not zero", block_of(first, zero=1)),
        ("a run of 2^31", block_of(first, run_bit=1)),
        ("lane 0", block_of(first._replace(lane=0))),
        ("no byte", block_of(first._replace(size=0))),
        ("1025 bytes", block_of(first._replace(size=1025))),
        ("a key beyond the last slot", block_of(first._replace(slot=LAST_SLOT, size=33))),
    ]
    return {
        "about": "ids of keys, and blocks that are none; n is that of the exported key, slot s its bytes 32 s and on",
        "good": [
            {**each._asdict(), "exported": each.exported.hex(), "n": str(index_of(each.lane, each.run))}
            | {"key_id": key_id(each).hex()}
            for each in good
        ],
        "bad": [
            {"why": why, "exported": first.exported.hex(), "key_id": encrypted(first.exported, block).hex()}
            for why, block in bad
        ],
    }
