# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of bindings and sessions."""

import random
from typing import Any

from session_reference import Binding, Direction, Session, binding_of

SEED = 20261123
FEW_SIZES = (0, 5, 1096, 0, 24)
BODY_SIZES = (0, 1, 7, 8, 9, 15, 16, 17, 23, 24, 25, 63, 64, 65, 127, 128, 255, 256, 257, 1024, 1095, 1096, 0)
FINGERPRINTS = (
    "",
    "board=X\nmac=02:00:00:00:00:01\nmachine=Y\n",
    "mac=02:00:00:00:00:01\nmac=02:00:00:00:00:02\nmachine=a name with \u00e9 and \u4e2d\n",
)


def make_bindings() -> dict[str, Any]:
    rng = random.Random(SEED)
    laptops: list[dict[str, str]] = []
    for fingerprint in FINGERPRINTS:
        for _ in range(3):
            host_secret, salt = rng.randbytes(32), rng.randbytes(16)
            binding = Binding(binding_of(host_secret, salt, fingerprint.encode()))
            given = {"host_secret": host_secret.hex(), "unit_salt": salt.hex(), "fingerprint": fingerprint}
            laptops.append(given | binding.in_hex())
    codes = (bytes(32), b"\xff" * 32, rng.randbytes(32))
    return {
        "about": "bindings to a laptop, and to a transport code, which is B itself (PROTOCOL.md section 6)",
        "laptops": laptops,
        "transport_codes": [Binding(code).in_hex() for code in codes],
    }


def make_sessions() -> dict[str, Any]:
    rng = random.Random(SEED)
    return {
        "about": "sessions (PROTOCOL.md section 6): hello is the payload of the answer to HELLO, Rh and Ru the random"
        " bytes of host and unit, TH the transcript. The frames of each direction in order; body is what the payload"
        " secures, link_sync the word in front of it.",
        "sessions": [
            *(session(rng, size, FEW_SIZES) for size in (0, 5, 80)),
            session(rng, 300, BODY_SIZES),
        ],
    }


def session(rng: random.Random, hello_size: int, sizes: tuple[int, ...]) -> dict[str, Any]:
    auth, hello = rng.randbytes(32), rng.randbytes(hello_size)
    host_random, unit_random = rng.randbytes(16), rng.randbytes(16)
    keys = Session(auth, hello, host_random, unit_random)
    return {
        "A": auth.hex(),
        "hello": hello.hex(),
        "Rh": host_random.hex(),
        "Ru": unit_random.hex(),
        "TH": keys.transcript.hex(),
        "unit_proof": keys.unit_proof.hex(),
        "host_proof": keys.host_proof.hex(),
        "h2u": frames(rng, keys.to_unit, sizes),
        "u2h": frames(rng, keys.to_host, sizes),
    }


def frames(rng: random.Random, direction: Direction, sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    for size in sizes:
        kind, request_id, body = rng.randrange(256), rng.randrange(1 << 32), rng.randbytes(size)
        sync = direction.sync.hex()
        payload = direction.secured(kind, request_id, body).hex()
        frame = {"kind": kind, "request_id": request_id, "body": body.hex(), "link_sync": sync, "payload": payload}
        sent.append(frame)
    return sent
