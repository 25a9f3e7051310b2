# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The search for secrets finds every encoding of every piece, and has no false positives."""

import struct

import numpy as np
import pytest

from ndks_laboratory.homologation.adversaries.active.secret_search import found_in

RANDOM = np.random.default_rng(5)
SECRET = RANDOM.bytes(32)
P1, P2 = b"0.5312846019283746", b"25.9081726354019283"
SECRETS = {"E": SECRET, "p1": P1, "p2": P2}
PACKED = bytes.fromhex("0531284601928374")


@pytest.mark.parametrize(
    ("form", "name"),
    [
        (SECRET[:8], "E"),
        (SECRET[-8:], "E"),
        (SECRET[13:21], "E"),
        (SECRET[::-1][3:11], "E"),
        (SECRET.hex()[10:26].encode(), "E"),
        (SECRET.hex().upper()[-16:].encode(), "E"),
        (str(int.from_bytes(SECRET, "big"))[20:36].encode(), "E"),
        (str(int.from_bytes(SECRET, "little"))[:16].encode(), "E"),
        (P1[4:16], "p1"),
        (P2[1:14], "p2"),
        (P1[4:16][::-1], "p1"),
        (bytes(int(digit) for digit in "284601928374"), "p1"),
        (PACKED, "p1"),
        (struct.pack("<d", float(P2)), "p2"),
        (struct.pack(">d", float(P2)), "p2"),
    ],
)
def test_found(form: bytes, name: str) -> None:
    at = int(RANDOM.integers(4000))
    content = RANDOM.bytes(at) + form + RANDOM.bytes(4096 - at)
    assert found_in([RANDOM.bytes(100), content], SECRETS) == [name]


def test_short_decimals_are_found_beside_each_other() -> None:
    short = {"p1": b"0.52", "p2": b"25"}
    assert found_in([b"...\x040.52\x0225..."], short) == ["p1 beside p2"]
    assert found_in([b"...0.52 25..."], short) == ["p1 beside p2"]


@pytest.mark.parametrize("p1", [b"0.52718281", b"-0.5271828182"])
def test_shorter_decimals_are_found_as_a_whole(p1: bytes) -> None:
    secrets = {"p1": p1, "p2": b"25"}
    assert found_in([b"..." + p1 + b"..."], secrets) == ["p1"]
    assert found_in([p1[1:], p1[:-1], b"527182818284590452", b"0" + p1[-8:]], secrets) == []


@pytest.mark.parametrize(
    "content", [b"", bytes(4096), b"\xff" * 4096, SECRET[:7], P1[2:13], P2[:12], b"0.52 24 0.5 25"]
)
def test_not_found(content: bytes) -> None:
    assert found_in([content], SECRETS | {"zeros": bytes(32)}) == []
    assert found_in([content], {"p1": b"0.52", "p2": b"25"}) == []


def test_random_bytes_hold_nothing() -> None:
    assert found_in([RANDOM.bytes(1 << 20)], SECRETS) == []
