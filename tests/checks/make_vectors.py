# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Make the golden vectors in protocol/vectors from PROTOCOL.md alone: nothing of the project is imported here.

    python tests/checks/make_vectors.py            write the files
    python tests/checks/make_vectors.py --check    say whether they are what would be written

paper.json holds the keys that the paper prints; suite.json the vectors of an independent implementation.
"""

import argparse
import itertools
import json
import random
import sys
from pathlib import Path
from typing import Any

from bundle_vectors import make_bundles, make_housekeeping
from capsule_reference import VECTORS
from capsule_vectors import make_capsules
from edge_vectors import make_conversations
from enrolment_vectors import make_enrolments
from folder_vectors import make_folders
from frame_reference import cobs, frame
from generator_reference import F1, F2, bits_of_key
from host_vectors import make_network_files, make_words
from join_file_vectors import make_joining_files
from key_id_vectors import make_key_ids
from member_file_vectors import make_member_files
from network_talks import make_commands
from network_vectors import make_control, make_generation_records, make_network_keys
from package_vectors import make_packages, make_x25519
from record_vectors import make_flash, make_records
from session_vectors import make_bindings, make_sessions
from tunnel_vectors import make_tunnel

SEED = 20261123
FRAME_SIZES = (0, 1, 3, 59, 63, 64, 65, 127, 128, 243, 244, 245, 246, 255, 256, 257, 499, 512, 1024, 1120)


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
    return {"about": "frames on the wire, and what is dropped (PROTOCOL.md section 5)", "good": good, "bad": bad}


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


def make_operators() -> dict[str, Any]:
    """Return four keys of each chain: near element 0, 2^20, 2^32 and the end; the last with extreme parameters."""
    rng = random.Random(SEED)
    cases: list[dict[str, Any]] = []
    for f1, f2 in itertools.product(F1, F2):
        for number, first in enumerate((0, (1 << 20) - 70, (1 << 32) - 70, (1 << 40) - 140)):
            digits, k = rng.randrange(1, 13), rng.choice((1, 2, rng.randrange(1, 1 << 48)))
            p1 = f"{rng.choice(('', '-'))}{rng.randrange(20)}.{rng.randrange(1, 10**40):040d}"
            p2 = f"{rng.choice(('', '-'))}{rng.randrange(100)}.{rng.randrange(1, 10**40):040d}"
            if number == 0:
                digits, k, p1, p2 = 3, 1, "0.52", "25"
            if number == 3:
                digits, k, p1, p2 = 12, 1 << 64, "-1000", "9" * 40 + "." + "9" * 39
            key = bits_of_key(p1, p2, digits, k, first, 140, f1, f2)
            values = {"f1": f1, "f2": f2, "p1": p1, "p2": p2, "d": digits, "k": str(k)}
            cases.append({**values, "first": first, "count": 140, "key": key})
    return {"about": "all chains of operators from 2500-bit floating point (section 2); k as text", "cases": cases}


FILES = {
    "frames.json": make_frames,
    "generator.json": make_generator,
    "operators.json": make_operators,
    "records.json": make_records,
    "flash.json": make_flash,
    "capsules.json": make_capsules,
    "bindings.json": make_bindings,
    "sessions.json": make_sessions,
    "commands.json": make_commands,
    "conversations.json": make_conversations,
    "network_files.json": make_network_files,
    "words.json": make_words,
    "x25519.json": make_x25519,
    "packages.json": make_packages,
    "joining_files.json": make_joining_files,
    "member_files.json": make_member_files,
    "network_keys.json": make_network_keys,
    "control.json": make_control,
    "generation_records.json": make_generation_records,
    "enrolments.json": make_enrolments,
    "bundles.json": make_bundles,
    "housekeeping.json": make_housekeeping,
    "key_ids.json": make_key_ids,
    "tunnel.json": make_tunnel,
    "folders.json": make_folders,
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
