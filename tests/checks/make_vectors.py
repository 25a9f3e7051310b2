# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Make the golden vectors in protocol/vectors from PROTOCOL.md alone: nothing of the project is imported here.

    python tests/checks/make_vectors.py            write the files
    python tests/checks/make_vectors.py --check    say whether they are what would be written

paper.json holds the keys that the paper prints; suite.json the vectors of an independent implementation.
"""

import argparse
import hashlib
import hmac
import json
import random
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import mpmath  # pyright: ignore[reportMissingTypeStubs]

VECTORS = Path(__file__).parents[2] / "protocol" / "vectors"
SEED = 20261123
FRAME_SIZES = (0, 1, 3, 59, 63, 64, 65, 127, 128, 243, 244, 245, 246, 255, 256, 257, 499, 512, 1024, 1120)


def cobs(data: bytes) -> bytes:
    """Consistent Overhead Byte Stuffing, byte by byte; no final 01 after a full group."""
    out = bytearray()
    group = bytearray()
    open_group = True
    for byte in data:
        open_group = True
        if byte:
            group.append(byte)
        if not byte or len(group) == 254:
            out += bytes([len(group) + 1]) + group
            open_group = not byte
            group.clear()
    if open_group:
        out += bytes([len(group) + 1]) + group
    return bytes(out)


def frame(kind: int, request_id: int, payload: bytes) -> bytes:
    body = struct.pack(">BI", kind, request_id) + payload
    return cobs(body + struct.pack(">I", zlib.crc32(body))) + b"\0"


def make_frames() -> dict[str, Any]:
    rng = random.Random(SEED)
    good: list[dict[str, Any]] = []
    for size in FRAME_SIZES:
        for payload in (bytes(size), b"\xff" * size, rng.randbytes(size)):
            kind, request_id = rng.choice((1, 0x81, 0xFF)), rng.randrange(1 << 32)
            wire = frame(kind, request_id, payload).hex()
            good.append({"kind": kind, "request_id": request_id, "payload": payload.hex(), "wire": wire})
    whole = frame(0x11, 7, b"payload")
    too_long = cobs(bytes(5) + bytes(1121) + bytes(4)) + b"\0"
    bad = [
        {"why": "COBS", "wire": (b"\x09" + whole).hex()[:12] + "00"},
        {"why": "SHORT", "wire": (cobs(b"12345678") + b"\0").hex()},
        {"why": "CRC", "wire": (whole[:9] + bytes([whole[9] ^ 0x80]) + whole[10:]).hex()},
        {"why": "OVERSIZE", "wire": too_long.hex()},
        {"why": "OVERSIZE", "wire": "ff" * 2000 + "00"},
    ]
    return {"about": "frames on the wire, and what is dropped (PROTOCOL.md section 4)", "good": good, "bad": bad}


def bits_of_key(p1: str, p2: str, digits: int, k: int, first: int, count: int) -> str:
    """Equation 7 in floating point of 1100 bits, as bytes in hex."""
    with mpmath.workprec(1100):
        y1 = mpmath.mpf(p2) * mpmath.sin(mpmath.mpf(p1) * k)
        bits = ""
        for e in range(first, first + count):
            y3 = mpmath.floor(10**digits * abs(mpmath.cos(y1 * e)) + mpmath.mpf("0.5"))
            bits += str(int(y3) % 2)
    return int(bits.ljust(-(-count // 8) * 8, "0"), 2).to_bytes(-(-count // 8)).hex()


def make_generator() -> dict[str, Any]:
    rng = random.Random(SEED)
    cases: list[dict[str, Any]] = []
    for number in range(72):
        digits = 1 + number % 12
        p1 = f"{rng.choice(('', '-'))}{rng.randrange(10 ** rng.choice((1, 3, 20)))}.{rng.randrange(1, 10**40):040d}"
        p2 = f"{rng.choice(('', '-'))}{rng.randrange(10 ** rng.choice((1, 3, 20)))}.{rng.randrange(1, 10**40):040d}"
        if number % 3 == 0:
            p1, p2 = f"0.{rng.randrange(1, 100):02d}", str(rng.randrange(1, 100))
        k = rng.randrange(1, 1 << rng.choice((1, 8, 48, 64))) if number % 5 else 1 << 64
        first = rng.randrange(1 << rng.choice((1, 10, 32, 40)))
        count = rng.randrange(1, 200)
        first = min(first, (1 << 40) - count)
        key = bits_of_key(p1, p2, digits, k, first, count)
        cases.append({"p1": p1, "p2": p2, "d": digits, "k": str(k), "first": first, "count": count, "key": key})
    return {"about": "equation 7 from 1100-bit floating point (PROTOCOL.md section 2); k as text", "cases": cases}


def record(kind: int, sequence: int, body: bytes) -> bytes:
    header = struct.pack(">BHIB", kind, len(body), sequence, 0)
    whole = header + hashlib.sha256(header + body).digest()[:16] + body
    return whole + bytes(-len(whole) % 16)


def make_records() -> dict[str, Any]:
    """A unit provisioned, then keys 1 to 3 acknowledged, then key 9."""
    secret = bytes(range(32))
    membership = struct.pack(">IHBBB", 0, 2, 1, 0, 3) + secret + b"\x04demo" + b"\x040.52" + b"\x0225"
    steps = b"\0" * 2 + b"\xff" * 62
    image = record(0xF0, 1, b"\x01") + record(0xF3, 2, membership)
    image += (
        record(0xF4, 3, struct.pack(">IQ", 0, 2)) + steps + record(0xF4, 4, struct.pack(">IQ", 0, 10)) + b"\xff" * 64
    )
    return {
        "about": "nvm of a unit provisioned like this, these keys acknowledged in this order (PROTOCOL.md section 7)",
        "provision": membership.hex(),
        "acknowledged": [1, 2, 3, 9],
        "next_index": 10,
        "nvm": image.hex(),
    }


def make_commands() -> dict[str, Any]:
    """One conversation with a new unit: what it is asked, what it answers."""
    suite = json.loads((VECTORS / "suite.json").read_text())
    secret = bytes.fromhex(suite["network"]["secret"])
    keys = {entry["k"]: bytes.fromhex(entry["bytes"]) for entry in suite["export"] if entry["suite"] == 1}
    hello, status, provision, next_index, key_chunk, acknowledge = 0x01, 0x02, 0x03, 0x10, 0x11, 0x12
    bad_request, unknown, blank, provisioned = 0x0101, 0x0102, 0x0201, 0x0202
    out_of_range, epoch, too_far = 0x0301, 0x0302, 0x0303
    uid = bytes.fromhex("0011223344556677")
    parameters = secret + b"\x04demo" + b"\x040.52" + b"\x0225"
    member = struct.pack(">IHBBB", 0, 7, 1, 0, 3) + parameters
    common_lane = struct.pack(">IHBBB", 0, 0, 1, 0, 3) + parameters
    greeting = bytes([1, 0, 0, 1, 0, 1]), bytes([1]) + uid + bytes(32) + struct.pack(">HHHB", 1120, 0, 0, 1)
    id_context = b"ndks network id\0" + bytes([1, 3]) + b"\x040.52" + b"\x0225"
    network_id = hmac.digest(secret, id_context, hashlib.sha256)[:8]
    counters = struct.pack(">II", 0, 0)
    chunk, ack = ">IQQH", ">IQB"
    steps: list[tuple[int, bytes, bytes | int]] = [
        (hello, b"", greeting[0] + b"\0" + greeting[1]),
        (status, b"", bytes([0, 1]) + bytes(18) + struct.pack(">HH", 0, 4064) + counters),
        (next_index, b"", blank),
        (key_chunk, struct.pack(chunk, 0, 1, 0, 32), blank),
        (provision, member[:-1], bad_request),
        (provision, member + b"\0", bad_request),
        (provision, common_lane, out_of_range),
        (provision, member.replace(b"0.52", b"0,52"), out_of_range),
        (provision, member, b""),
        (provision, member, provisioned),
        (hello, b"", greeting[0] + b"\1" + greeting[1]),
        (
            status,
            b"",
            bytes([1, 1])
            + struct.pack(">IHBBB", 0, 7, 1, 0, 3)
            + b"\x04demo"
            + network_id
            + struct.pack(">HH", 112, 4064)
            + counters,
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
        (key_chunk, struct.pack(chunk, 0, 0, 0, 32), out_of_range),
        (key_chunk, struct.pack(chunk, 0, 1 << 48, 0, 32), out_of_range),
        (key_chunk, struct.pack(chunk, 0, 1, 0, 0), out_of_range),
        (key_chunk, struct.pack(chunk, 0, 1, 0, 1025), out_of_range),
        (key_chunk, struct.pack(chunk, 0, 1, (1 << 37) - 1, 2), out_of_range),
        (key_chunk, struct.pack(chunk, 0, 1, (1 << 64) - 1, 1), out_of_range),
        (acknowledge, struct.pack(ack, 0, 1, 0), struct.pack(">Q", 2)),
        (acknowledge, struct.pack(ack, 0, 1, 0), struct.pack(">Q", 2)),
        (acknowledge, struct.pack(ack, 1, 2, 0), epoch),
        (acknowledge, struct.pack(ack, 0, 0, 0), out_of_range),
        (acknowledge, struct.pack(ack, 0, (1 << 20) + 3, 0), too_far),
        (next_index, b"", struct.pack(">IQ", 0, 2)),
        (acknowledge, struct.pack(ack, 0, (1 << 20) + 2, 0), struct.pack(">Q", (1 << 20) + 3)),
        (acknowledge, struct.pack(ack, 0, (1 << 48) - 1, 1), struct.pack(">Q", 1 << 48)),
        (next_index, b"", out_of_range),
    ]
    return {
        "about": "a conversation with a new unit whose free memory is given as 0 (PROTOCOL.md sections 5 and 6)",
        "uid": uid.hex(),
        "steps": [
            {
                "command": code,
                "request": request.hex(),
                **({"error": got} if isinstance(got, int) else {"answer": got.hex()}),
            }
            for code, request, got in steps
        ],
    }


FILES = {
    "frames.json": make_frames,
    "generator.json": make_generator,
    "records.json": make_records,
    "commands.json": make_commands,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale: list[str] = []
    for name, make in FILES.items():
        text = json.dumps(make(), indent=1) + "\n"
        if not check:
            (VECTORS / name).write_text(text)
        elif (VECTORS / name).read_text() != text:
            stale.append(name)
    if stale:
        print(f"stale vectors: {', '.join(stale)}; run {Path(__file__).name}", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
