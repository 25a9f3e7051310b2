# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of bindings and sessions."""

import random
from typing import Any

from package_vectors import with_top_bit
from session_reference import Binding, Direction, Session, binding_of
from x25519_reference import LOW_ORDER, P, public_key, x25519

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
        "about": "sessions (PROTOCOL.md section 6): A is null for the anonymous session of a blank unit; hello is the"
        " payload of the answer to HELLO, Eh and Eu the public keys of host and unit, made of these private keys unless"
        " they are not canonical, Rh and Ru the random bytes, z the shared secret, TH the transcript, S the session's"
        " key. The frames of each direction in order; body is what the payload secures, link_sync the word in front of"
        " it. low_order: public keys that both ends refuse.",
        "sessions": [
            *(session(rng, size, FEW_SIZES) for size in (0, 5, 80)),
            session(rng, 300, BODY_SIZES),
            session(rng, 80, FEW_SIZES, is_anonymous=True),
            *(session(rng, 80, (), host_public=public) for public in not_canonical(rng)),
        ],
        "low_order": [u.hex() for low in LOW_ORDER for u in (low, with_top_bit(low))],
    }


def not_canonical(rng: random.Random) -> tuple[bytes, ...]:
    """Return public keys that are not reduced, and one with the bit set that X25519 ignores: TH has them as sent."""
    return (P + 2).to_bytes(32, "little"), (P + 18).to_bytes(32, "little"), with_top_bit(public_key(rng.randbytes(32)))


def session(
    rng: random.Random,
    hello_size: int,
    sizes: tuple[int, ...],
    *,
    is_anonymous: bool = False,
    host_public: bytes = b"",
) -> dict[str, Any]:
    auth, hello = None if is_anonymous else rng.randbytes(32), rng.randbytes(hello_size)
    host_private, unit_private, host_random, unit_random = (rng.randbytes(size) for size in (32, 32, 16, 16))
    given = {} if host_public else {"host_private": host_private.hex()}
    host_public, unit_public = host_public or public_key(host_private), public_key(unit_private)
    shared = x25519(unit_private, host_public)
    keys = Session(auth, shared, hello, host_public + host_random, unit_public + unit_random)
    said = {"hello": hello, "Eh": host_public, "Rh": host_random, "Eu": unit_public, "Ru": unit_random}
    made = {"z": shared, "TH": keys.transcript, "S": keys.key}
    proofs = {"unit_proof": keys.unit_proof, "host_proof": keys.host_proof}
    return {
        "A": auth and auth.hex(),
        **given,
        "unit_private": unit_private.hex(),
        **{name: value.hex() for name, value in (said | made | proofs).items()},
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
