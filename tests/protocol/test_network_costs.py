# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The sizes that PROTOCOL.md section 13 states, of what the reference makes."""

import network_reference as reference
import pytest
from flash_reference import extent
from generation_records import GENERATION, PAST_GENERATIONS, Past, Present, past_body
from network_reference import HOUSEKEEPING, MESSAGE, Generation, Member
from network_vectors import GENERATIONS, ROOT, many

SALT = bytes(8)


def size_of(kind: int, data: bytes) -> int:
    return len(GENERATIONS[1].capsule(kind, 3, 2, 5, data, SALT).capsule)


@pytest.mark.parametrize("size", [0, 1, 100, 1000, 1001, 1002, 2025, 2026, 5000])
def test_messages(size: int) -> None:
    more = 0 if size <= 1001 else 16 * -(-(size - 1001) // 1024)
    assert size_of(MESSAGE, reference.message(1, 0, bytes(size))) == 76 + size + more


@pytest.mark.parametrize("count", [0, 1, 16])
def test_housekeeping(count: int) -> None:
    assert size_of(HOUSEKEEPING, reference.report(1, 99, [(g, g + 1) for g in range(count)])) == 83 + 8 * count
    assert size_of(HOUSEKEEPING, reference.voucher(1, b"")) == 92
    assert size_of(HOUSEKEEPING, reference.ask_for(9, [7])) == 79


@pytest.mark.parametrize(("revoked", "merged"), [(0, 0), (1, 0), (96, 6)])
@pytest.mark.parametrize("members", [1, 2, 10, 50])
def test_bundles(members: int, revoked: int, merged: int) -> None:
    new = Generation(20, bytes(32), revoked=many(revoked))
    sides = [Generation(g, bytes(32)) for g in range(merged)]
    key = reference.member_key(ROOT, 3, 20)
    notice = reference.notice(key, 20, reference.notice_data(new, sides), SALT)
    assert len(notice) == 109 + 2 * revoked + 38 * merged
    rows = [Member(lane, bytes(8), 0) for lane in range(members + revoked)]
    record = reference.sealed_record(ROOT, reference.record_body(new, range(8), rows))
    bundle = reference.bundle(ROOT, 20, 19, [(bytes(4), notice)] * members, record)
    assert len(bundle) == members * (115 + 2 * revoked + 38 * merged) + 13 * len(rows) + 149


@pytest.mark.parametrize("revoked", [0, 1, 96])
def test_records(revoked: int) -> None:
    of = Generation(20, bytes(32), revoked=many(revoked))
    body = Present(of, bytes(32)).body
    assert 24 + len(body) == 245 + 2 * revoked
    assert 0 <= extent(GENERATION, len(body)) - len(body) - 24 < 16
    past = past_body([Past(Generation(g, bytes(32))) for g in range(6)])
    assert extent(PAST_GENERATIONS, len(past)) == 672


def test_beacons() -> None:
    assert len(GENERATIONS[2].beacon(9, 1, 4, 2, SALT)) == 78
