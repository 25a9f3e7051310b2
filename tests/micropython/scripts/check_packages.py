# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Checks of packages.json: fields sealed to a joining key, and what a unit refuses."""

import os

from harness import expect, run
from memory_board import MemoryBoard

from ndks_protocol.curve25519 import KEY_SIZE, LowOrderPoint, in_one_call
from ndks_protocol.sealed_package import CutShort, NotForThisKey, ephemeral_of, seal, unseal
from ndks_protocol.x25519 import Ladder

_board = MemoryBoard()
_REASONS = {"SHORT": CutShort, "KEY": NotForThisKey, "LOW_ORDER": LowOrderPoint}


def _opened(case: dict) -> bytes:
    """Return the fields of a package as a unit does."""
    sealed = bytes.fromhex(case["sealed"])
    ladder = Ladder(bytes.fromhex(case["private_key"]), ephemeral_of(sealed), os.urandom(KEY_SIZE))
    shared = in_one_call(ladder, _nothing)
    return bytes(unseal(_board, shared, bytes.fromhex(case["joining_key"]), sealed))


def _nothing() -> None:
    pass


def check_good(case: dict) -> None:
    shared, ephemeral, joining_key = (bytes.fromhex(case[name]) for name in ("z", "ephemeral_key", "joining_key"))
    fields = bytes.fromhex(case["fields"])
    expect(seal(_board, shared, ephemeral, joining_key, fields), bytes.fromhex(case["sealed"]))
    expect(_opened(case), fields)


def check_bad(case: dict) -> None:
    try:
        got = _opened(case)
    except _REASONS[case["why"]]:
        return
    raise AssertionError(f"{case['what']}: got {got!r}, expected {case['why']}")


run({"good": check_good, "bad": check_bad})
