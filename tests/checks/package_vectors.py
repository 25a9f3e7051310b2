# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The golden vectors of X25519 and of sealed packages, from RFC 7748 and PROTOCOL.md section 6 alone."""

import hashlib
import hmac
import random
from typing import Any, NamedTuple

from capsule_reference import aes_ctr, derive, xor
from x25519_reference import LOW_ORDER, P, public_key, x25519

SEED = 20261128
SIZES = (0, 1, 15, 16, 17, 64, 237, 1072)  # of the fields; 237 are the most of a request to join, 1072 of a payload
OVERHEAD = 48


class Package(NamedTuple):
    recipient: bytes  # private keys
    ephemeral: bytes
    fields: bytes

    def described(self) -> dict[str, str]:
        """Return the keys, what is derived from them, and the sealed bytes."""
        joining_key, ephemeral_key = public_key(self.recipient), public_key(self.ephemeral)
        shared = x25519(self.ephemeral, joining_key)
        key = derive(hmac.digest(b"ndks join", shared, hashlib.sha256), "ndks join", ephemeral_key + joining_key)
        text = xor(self.fields, aes_ctr(derive(key, "ndks join enc"), bytes(16), bytes(len(self.fields))))
        tag = hmac.digest(derive(key, "ndks join mac"), text, hashlib.sha256)[:16]
        named = {
            "private_key": self.recipient,
            "joining_key": joining_key,
            "ephemeral_private_key": self.ephemeral,
            "ephemeral_key": ephemeral_key,
            "z": shared,
            "K": key,
            "fields": self.fields,
            "sealed": ephemeral_key + text + tag,
        }
        return {name: value.hex() for name, value in named.items()}


def make_x25519() -> dict[str, Any]:
    rng = random.Random(SEED)
    coordinates = [rng.randbytes(32) for _ in range(6)]
    # At both ends of the field, and not canonical; then again with the bit that is ignored
    coordinates += [u.to_bytes(32, "little") for u in (2, 9, P - 2, P + 2, P + 9, P + 18)]
    scalars = [bytes(32), b"\xff" * 32, *(rng.randbytes(32) for _ in range(4))]
    cases = [(scalar, u) for u in coordinates for scalar in (rng.choice(scalars), rng.randbytes(32))]
    cases += [(scalar, with_top_bit(u)) for scalar, u in cases[-12:]]
    refused = [*LOW_ORDER, *(with_top_bit(u) for u in LOW_ORDER)]
    return {
        "about": "X25519 (RFC 7748): scalars as they are before clamping, and coordinates that need not be canonical; "
        "and all coordinates of low order, whose product is zero with any scalar: they are refused",
        "products": [{"scalar": s.hex(), "u": u.hex(), "product": x25519(s, u).hex()} for s, u in cases],
        "low_order": [u.hex() for u in refused],
    }


def with_top_bit(u: bytes) -> bytes:
    return u[:31] + bytes([u[31] | 0x80])


def make_packages() -> dict[str, Any]:
    rng = random.Random(SEED)
    good = [Package(rng.randbytes(32), rng.randbytes(32), rng.randbytes(size)).described() for size in SIZES]
    return {
        "about": "fields sealed to the joining key of a unit (PROTOCOL.md section 6), and what a unit refuses: why is "
        "SHORT, LOW_ORDER (the ephemeral key), or KEY (not sealed to this key, or altered, which nothing tells apart)",
        "good": good,
        "bad": refusals(good, rng),
    }


def refusals(good: list[dict[str, str]], rng: random.Random) -> list[dict[str, str]]:
    package = good[4]
    sealed, joining_key = bytes.fromhex(package["sealed"]), bytes.fromhex(package["joining_key"])

    def refused(why: str, what: str, changed: bytes, unit: dict[str, str] = package) -> dict[str, str]:
        return {"why": why, "what": what, "sealed": changed.hex()} | {
            name: unit[name] for name in ("private_key", "joining_key")
        }

    cases = [refused("SHORT", f"{size} bytes", sealed[:size]) for size in (0, 31, 32, OVERHEAD - 1)]
    cases += [refused("KEY", "cut short", sealed[:size]) for size in (OVERHEAD, len(sealed) - 1)]
    cases.append(refused("KEY", "a byte too many", sealed + b"\0"))
    places = {
        "ephemeral key": (0, 31),
        "ciphertext": (32, len(sealed) - 17),
        "tag": (len(sealed) - 16, len(sealed) - 1),
    }
    for what, positions in places.items():
        for position in positions:
            changed = sealed[:position] + bytes([sealed[position] ^ 1 << rng.randrange(7)]) + sealed[position + 1 :]
            cases.append(refused("KEY", f"a bit of the {what}", changed))
    same_point = with_top_bit(sealed[:32]) + sealed[32:]
    cases.append(refused("KEY", "the ephemeral key, with the bit set that X25519 ignores", same_point))
    cases.append(refused("KEY", "the joining key as the ephemeral key", joining_key + sealed[32:]))
    cases.append(refused("KEY", "for another unit", sealed, good[3]))
    cases += [refused("LOW_ORDER", "the ephemeral key has low order", u + sealed[32:]) for u in LOW_ORDER]
    return cases
