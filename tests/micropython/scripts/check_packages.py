# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Checks of packages.json: fields sealed to a joining key, and what a unit refuses."""

import os

from harness import expect, run
from memory_board import MemoryBoard

from ndks_unit import on_demand

# As a unit does: a release build has them in files of their own
_curve, _x25519 = on_demand.load("ndks_protocol.curve25519", "ndks_protocol.x25519")
(_package,) = on_demand.load("ndks_protocol.sealed_package")
_board = MemoryBoard()
_REASONS = {"SHORT": _package.CutShort, "KEY": _package.NotForThisKey, "LOW_ORDER": _curve.LowOrderPoint}


def _opened(case: dict) -> bytes:
    """Return the fields of a package as a unit does."""
    sealed = bytes.fromhex(case["sealed"])
    ladder = _x25519.Ladder(bytes.fromhex(case["private_key"]), _package.ephemeral_of(sealed), os.urandom(32))
    shared = _curve.in_one_call(ladder, _nothing)
    return bytes(_package.unseal(_board, shared, bytes.fromhex(case["joining_key"]), sealed))


def _nothing() -> None:
    pass


def check_good(case: dict) -> None:
    shared, ephemeral, joining_key = (bytes.fromhex(case[name]) for name in ("z", "ephemeral_key", "joining_key"))
    fields = bytes.fromhex(case["fields"])
    expect(_package.seal(_board, shared, ephemeral, joining_key, fields), bytes.fromhex(case["sealed"]))
    expect(_opened(case), fields)


def check_bad(case: dict) -> None:
    try:
        got = _opened(case)
    except _REASONS[case["why"]]:
        return
    raise AssertionError(f"{case['what']}: got {got!r}, expected {case['why']}")


run({"good": check_good, "bad": check_bad})
