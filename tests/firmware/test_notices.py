# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""NOTICE and HINT: each check for its own reason and in its order, and what a unit has afterwards."""

import struct
from typing import Any

import pytest
from hosts.administered import Member, member_key, message, notice, secret_of

from firmware.notices import LANE, OTHER, REVOKED, content, member_that_knows_revoked_lanes
from ndks.crypto import CRYPTO
from ndks_protocol import commands, errors
from ndks_protocol.control.ladder import hint_of
from ndks_protocol.control.limits import ADMINISTRATOR_LANE, LAST_GENERATION, MAX_REVOKED, PAST
from ndks_protocol.network_id import control_key, generation_id, network_id
from ndks_unit.flash.records import FIRST_KEY, GENERATION, LARGEST_GENERATION, LARGEST_PAST
from ndks_unit.flash.records import PAST as PAST_RECORD
from ndks_unit.network.layout import PAST_SIZE


@pytest.fixture
def member() -> Member:
    return member_that_knows_revoked_lanes()


def many(count: int) -> tuple[int, ...]:
    return (*REVOKED, *range(100, 98 + count))


# What is wrong is mended from row to row, so that each error comes before those below it.
REFUSALS: list[tuple[str, int, dict[str, Any]]] = [
    ("a generation that was left", errors.STALE, {"g": 1, "key_of": 7}),
    ("the own generation", errors.STALE, {"g": 2, "key_of": 7}),
    ("beyond the last", errors.RANGE, {"g": LAST_GENERATION + 1, "key_of": 7}),
    ("the key of another generation", errors.HEADER, {"key_of": 4, "sender": LANE}),
    ("another sender", errors.HEADER, {"sender": ADMINISTRATOR_LANE, "sealed_under": bytes(32)}),
    ("another number", errors.HEADER, {"number": 3, "sealed_under": bytes(32)}),
    ("another key of the chunk", errors.AUTH, {"sealed_under": bytes(32)}),
    ("no notice", errors.AUTH, {"data": b"\1" + content()[1:]}),
    ("another generation inside", errors.AUTH, {"inside": 4}),
    ("too short", errors.AUTH, {"data": content()[:-1]}),
    ("too long", errors.AUTH, {"data": content() + b"\0"}),
    ("too many lanes", errors.RANGE, {"data": content(revoked=(*range(MAX_REVOKED + 1),))}),
    ("too many others", errors.RANGE, {"data": content(revoked=(), others=(0,) * (PAST + 1))}),
    ("no such d", errors.RANGE, {"data": content(revoked=(), operators=(13, 0, 0))}),
    ("no such f1", errors.RANGE, {"data": content(revoked=(), operators=(3, 3, 0))}),
    ("no such f2", errors.RANGE, {"data": content(revoked=(), operators=(3, 0, 3))}),
    ("lanes not in order", errors.RANGE, {"data": content(revoked=(9, 5))}),
    ("a lane twice", errors.RANGE, {"data": content(revoked=(5, 5, 9))}),
    ("the own lane", errors.RANGE, {"data": content(revoked=(LANE,))}),
    ("others not in order", errors.RANGE, {"data": content(revoked=(), others=(1, 0))}),
    ("another that is not below", errors.RANGE, {"data": content(revoked=(), others=(3,))}),
    (
        "no such operators of another",
        errors.RANGE,
        {"data": content(revoked=(), others=(0,), their_operators=(0, 0, 0))},
    ),
    ("a revoked lane is missing", errors.ROSTER, {"data": content(revoked=(5,))}),
]


@pytest.mark.parametrize(("code", "changes"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_a_notice_is_refused_and_nothing_changes(member: Member, code: int, changes: dict[str, Any]) -> None:
    changes = dict(changes)
    g = changes.pop("g", 3)
    before, status = member.host.unit.flash.images, member.status()
    capsule = notice(LANE, 3, REVOKED, **changes)
    assert member.host.code(commands.NOTICE, g, capsule) == code
    assert member.host.unit.flash.images == before
    assert member.status() == status
    assert member.enter_code(3, REVOKED) == 0


def test_a_notice_that_is_no_capsule(member: Member) -> None:
    capsule = notice(LANE, 3, REVOKED)
    for altered, code in (
        (b"", errors.HEADER),
        (capsule[:36], errors.HEADER),
        (b"\2" + capsule[1:], errors.CAPSULE_VERSION),
        (capsule[:37], errors.AUTH),
        (capsule[:-1], errors.AUTH),
        (capsule + b"\0", errors.AUTH),
    ):
        assert member.host.code(commands.NOTICE, 3, altered) == code, altered
    assert member.host.refusal(commands.NOTICE, b"\0") == errors.BAD_REQUEST


def test_a_notice_for_another_lane(member: Member) -> None:
    assert member.host.code(commands.NOTICE, 3, notice(OTHER, 3, REVOKED)) == errors.HEADER


@pytest.mark.parametrize("steps", [1, 2, 4097, LAST_GENERATION - 2])
def test_a_generation_however_far(member: Member, steps: int) -> None:
    assert member.enter(2 + steps, REVOKED) == 2 + steps << 16


def test_the_hint_is_the_one_in_the_bundle(member: Member) -> None:
    for g in (3, 4, 500):
        assert member.host.ask(commands.HINT, g) == (hint_of(CRYPTO, member_key(LANE, g)),)
    for g, code in ((2, errors.STALE), (0, errors.STALE), (LAST_GENERATION + 1, errors.RANGE)):
        assert member.host.code(commands.HINT, g) == code


def test_a_notice_after_its_hint_steps_no_key_again(member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    member.host.ask(commands.HINT, 3000)
    board = member.host.unit.board
    used, sha256 = [0], board.sha256

    def counted() -> Any:
        used[0] += 1
        return sha256()

    monkeypatch.setattr(board, "sha256", counted)
    member.enter(3000, REVOKED)
    assert used[0] < 2000


def test_a_long_way_feeds_the_watchdog(member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    board = member.host.unit.board
    used, since, longest, sha256 = [0], [0], [0], board.sha256

    def counted() -> Any:
        used[0] += 1
        return sha256()

    def feed() -> None:
        longest[0] = max(longest[0], used[0] - since[0])
        since[0] = used[0]

    monkeypatch.setattr(board, "sha256", counted)
    monkeypatch.setattr(board, "feed_watchdog", feed)
    member.enter(60_000, REVOKED)
    assert used[0] > 120_000
    assert longest[0] <= 2 * 256 + 200  # 0.3 s on a board, of 8


def test_status_and_ids_of_a_generation(member: Member) -> None:
    status = member.status()
    secret = secret_of(2)
    assert status["generation_id"] == generation_id(CRYPTO, control_key(CRYPTO, secret))
    assert status["epoch"] == 2 << 16
    assert status["held"] == struct.pack(">7H", 2, *[0xFFFF] * 6)
    assert status["network_id"] != network_id(CRYPTO, secret, 1, 3, "0.52", "25")


def test_past_generations_open_for_late_messages(member: Member) -> None:
    for g in range(3, 12):
        member.enter(g, REVOKED)
    assert member.status()["held"] == struct.pack(">7H", 11, 10, 9, 8, 7, 6, 5)
    for g in range(5, 12):
        assert member.open(message(OTHER, g, g << 16)) == (0, g << 16, b"hello")
    assert member.open_code(message(OTHER, 99, 4 << 16)) == errors.HEADER


def test_a_merge_brings_the_generations_that_went_past(member: Member) -> None:
    member.enter(9, REVOKED, (3, 4, 5, 6, 7, 8), others_revoked=2)
    assert member.status()["held"] == struct.pack(">7H", 9, 8, 7, 6, 5, 4, 3)
    assert member.open(message(OTHER, 1, 5 << 16 | 3)) == (0, 5 << 16 | 3, b"hello")


def test_a_merge_does_not_replace_what_is_held(member: Member) -> None:
    member.enter(3, REVOKED)
    member.enter(9, REVOKED, (2, 3, 4), others_revoked=0)
    assert member.status()["held"][:8] == struct.pack(">4H", 9, 4, 3, 2)
    assert member.open(message(OTHER, 1, 3 << 16)) == (0, 3 << 16, b"hello")
    assert member.open_code(message(OTHER, 2, 4 << 16)) == errors.CUT, "its list was shorter"


def test_past_generations_have_neither_member_nor_control_key(member: Member) -> None:
    member.enter(3, REVOKED)
    record = bytes(member.state.log.body(PAST_RECORD))
    assert len(record) == PAST_SIZE
    assert member_key(LANE, 3) not in record
    assert control_key(CRYPTO, secret_of(2)) not in record


def test_old_notices_stay_closed(member: Member) -> None:
    """What a unit keeps opens the next notices, and none of those before."""
    member.enter(3, REVOKED)
    body = bytes(member.state.log.body(GENERATION))
    assert member_key(LANE, 4) in body
    everything = b"".join(bytes(member.state.log.body(kind) or b"") for kind in (GENERATION, PAST_RECORD, FIRST_KEY))
    assert all(member_key(LANE, g) not in everything for g in range(4))


def test_records_at_their_largest() -> None:
    member = Member(LANE, generation=1, enters=False)
    member.enter(1)
    for g in range(2, 7):
        member.enter(g)
    lanes = tuple(range(2, 2 + MAX_REVOKED))
    for lane in range(1000, 1010):
        member.host.ask(commands.TRUST, lane, bytes(16)[:-1] + b"\1")
    member.enter(20, lanes, tuple(range(14, 20)), others_revoked=MAX_REVOKED)
    for lane in range(1000, 1010):
        member.host.ask(commands.ACCEPT, message(lane, 1, 20 << 16)[:37], 0)
    sizes = [len(member.state.log.body(kind)) for kind in (GENERATION, PAST_RECORD)]
    assert sizes == [LARGEST_GENERATION, LARGEST_PAST]
    for g in range(21, 24):
        member.enter(g, lanes)
        member.wait(64)
        member.host.ask(commands.RENEW)
        member.host.restart()
        assert member.status()["epoch"] == g << 16 | 1
    assert member.open(message(2000, 2, 23 << 16)) == (0, 23 << 16, b"hello")
