# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Checks of X25519 against RFC 7748 and x25519.json."""

import os

from harness import expect, run

from ndks_unit import on_demand

# As a unit does: a release build has them in files of their own
_curve, _x25519, _comb = on_demand.load("ndks_protocol.curve25519", "ndks_protocol.x25519", "ndks_protocol.public_key")
_BASE_POINT = b"\x09" + bytes(31)


def _multiply(scalar: bytes, u: bytes) -> bytes:
    return _curve.in_one_call(_x25519.Ladder(scalar, u, os.urandom(32)), _nothing)


def _public_key(scalar: bytes) -> bytes:
    return _curve.in_one_call(_comb.PublicKey(scalar, os.urandom(32)), _nothing)


def _nothing() -> None:
    pass


def check_product(case: dict) -> None:
    scalar = bytes.fromhex(case["scalar"])
    expect(_multiply(scalar, bytes.fromhex(case["u"])), bytes.fromhex(case["product"]))
    expect(_public_key(scalar), _multiply(scalar, _BASE_POINT))


def check_exchange(case: dict) -> None:
    first, second = bytes.fromhex(case["first_private"]), bytes.fromhex(case["second_private"])
    first_public, second_public = bytes.fromhex(case["first_public"]), bytes.fromhex(case["second_public"])
    expect(_public_key(first), first_public)
    expect(_public_key(second), second_public)
    expect(_multiply(first, second_public), bytes.fromhex(case["shared"]))
    expect(_multiply(second, first_public), bytes.fromhex(case["shared"]))


def check_iterated(case: dict) -> None:
    k = u = _BASE_POINT
    for _ in range(case["times"]):
        k, u = _multiply(k, u), k
    expect(k, bytes.fromhex(case["product"]))


def check_low_order(u: str) -> None:
    try:
        got = _multiply(os.urandom(32), bytes.fromhex(u))
    except _curve.LowOrderPoint:
        return
    raise AssertionError(f"got {got!r}, expected LowOrderPoint")


run(
    {
        "product": check_product,
        "exchange": check_exchange,
        "iterated": check_iterated,
        "low_order": check_low_order,
    }
)
