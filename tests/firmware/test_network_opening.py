# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The order of checks of a capsule in a network with generations."""

from typing import Any

import pytest
from hosts.administered import Member, beacon, message, notice, secret_of

from firmware.generations import ANY, GONE, LANE, OTHER, PAST, PRESENT, renew
from ndks_protocol import commands, errors
from ndks_protocol.commands import DATA, HOUSEKEEPING, MESSAGE, OF_CONTROL, VERNAM, VOUCHED, WIRE_HEADER_SIZE
from ndks_protocol.control.limits import AHEAD, LAST_NUMBER, MOVE_PAUSE


@pytest.fixture
def member() -> Member:
    """A member in epoch (2, 9), which has left generation 1 at (1, 2), and has given up (2, 0)."""
    member = Member(LANE, generation=1)
    for number in (1, 2):
        member.open(message(OTHER, number, PAST | number))
        member.wait(MOVE_PAUSE)
    member.enter(2, (GONE,))
    member.wait(MOVE_PAUSE)
    for number in range(1, 10):
        renew(member)
        assert member.tick(0).epoch == PRESENT | number
    return member


# Each row would also be refused for the reason of a later one, if it were not for its own.
ROWS: list[tuple[str, int, dict[str, Any]]] = [
    ("another network", errors.HEADER, {"first": bytes(32), "suite": 0}),
    ("another suite", errors.SUITE, {"suite": 0, "lane": LANE, "epoch": PAST}),
    ("the own lane", errors.REFLECTED, {"lane": LANE, "epoch": PAST}),
    ("a revoked lane", errors.REVOKED, {"lane": GONE, "epoch": PAST}),
    ("a revoked lane, present", errors.REVOKED, {"lane": GONE, "epoch": PRESENT}),
    ("given up", errors.TOO_OLD, {"epoch": PRESENT}),
    ("too far", errors.TOO_FAR, {"epoch": PRESENT | 9 + AHEAD + 1}),
    ("too far in the past", errors.TOO_FAR, {"epoch": PAST | 2 + AHEAD + 1}),
    ("cut", errors.CUT, {"epoch": PAST}),
    ("cut, a later number", errors.CUT, {"epoch": PAST | 2 + AHEAD}),
]


def made(row: dict[str, Any], kind: int = DATA) -> bytes:
    values = {"lane": OTHER, "epoch": PRESENT | 9} | row
    return message(values.pop("lane"), 7, values.pop("epoch"), kind=kind, **values)


@pytest.mark.parametrize("command", [commands.OPEN_BEGIN, commands.OPEN_KEYS], ids=["OPEN_BEGIN", "OPEN_KEYS"])
@pytest.mark.parametrize(("code", "row"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_order_of_checks(member: Member, command: commands.Command, code: int, row: dict[str, Any]) -> None:
    for kind in (DATA, HOUSEKEEPING, MESSAGE):
        assert member.host.code(command, made(row, kind)[:WIRE_HEADER_SIZE], ANY) == code
    assert member.host.code(commands.ACCEPT, made(row)[:WIRE_HEADER_SIZE], 1) == code
    assert member.host.code(command, made(row)[:WIRE_HEADER_SIZE], 8 | ANY) == errors.RANGE


def test_what_a_voucher_opens(member: Member) -> None:
    for epoch in (PAST, PAST | 2, PAST | 3, PAST | 2 + AHEAD + 5, PRESENT | 9 + AHEAD + 5):
        assert member.open(message(OTHER, 3, epoch), vouched=True) == (0, epoch, b"hello")
    for lane, epoch, code in ((LANE, PAST, errors.REFLECTED), (GONE, PAST, errors.REVOKED)):
        assert member.open_code(message(lane, 3, epoch), ANY | VOUCHED) == code
    assert member.open_code(message(OTHER, 3, PRESENT), ANY | VOUCHED) == errors.TOO_OLD


@pytest.mark.parametrize("kind", [DATA, HOUSEKEEPING, MESSAGE])
def test_kinds(member: Member, kind: int) -> None:
    capsule = message(OTHER, 8, PRESENT | 9, kind=kind)
    assert member.open(capsule) == (kind, PRESENT | 9, b"hello")
    assert member.host.code(commands.ACCEPT, capsule[:WIRE_HEADER_SIZE], 0) == (0 if kind == DATA else errors.KIND)
    assert member.hear_code(capsule) == errors.KIND
    assert member.seal(b"mine", kind)[1] == PRESENT | 9


def test_control_among_messages(member: Member) -> None:
    present, past = beacon(OTHER, 50, PRESENT | 9, 1), beacon(OTHER, 50, PAST | 2, 1)
    gone, own = beacon(GONE, 50, PAST, 1), beacon(LANE, 50, PAST, 1)
    for command in (commands.OPEN_BEGIN, commands.OPEN_KEYS, commands.ACCEPT):
        flag = 0 if command is commands.ACCEPT else ANY
        for capsule, code in (
            (own, errors.REFLECTED),
            (gone, errors.REVOKED),
            (past, errors.STALE),
            (present, errors.KIND),
        ):
            assert member.host.code(command, capsule[:WIRE_HEADER_SIZE], flag) == code
    assert member.host.code(commands.SEAL_BEGIN, bytes(8), VERNAM, OF_CONTROL, bytes(8)) == errors.KIND
    assert member.host.code(commands.SEAL_BEGIN, bytes(8), VERNAM, 4, bytes(8)) == errors.RANGE
    assert [member.hear_code(each) for each in (own, gone, past)] == [
        errors.REFLECTED,
        errors.REVOKED,
        errors.STALE,
    ]


def test_windows_come_last(member: Member) -> None:
    accepted = message(OTHER, 400, PRESENT | 9)
    member.host.ask(commands.ACCEPT, accepted[:WIRE_HEADER_SIZE], 0)
    for n, code in ((400, errors.DUPLICATE), (100, errors.TOO_OLD), (401 + (1 << 20), errors.TOO_FAR)):
        assert member.open_code(message(OTHER, n, PRESENT | 9), 0) == code
        assert member.open_code(message(OTHER, n, PRESENT), 0) == errors.TOO_OLD, "of the epoch"
        assert member.open_code(message(OTHER, n, PAST), 0) == errors.CUT


def test_a_beacon_that_is_none(member: Member) -> None:
    good = beacon(OTHER, 60, PRESENT | 9, 1)
    for capsule, code in (
        (b"", errors.HEADER),
        (good[:37], errors.AUTH),
        (good[:-1], errors.AUTH),
        (good[:-1] + bytes([good[-1] ^ 1]), errors.AUTH),
        (beacon(OTHER, 60, PRESENT | 9, 1, sealed_under=secret_of(2)), errors.AUTH),
        (beacon(OTHER, 60, PRESENT | 9, 1, inside=1), errors.AUTH),
        (beacon(OTHER, 60, PRESENT | 9, 1, data=b"\2" + bytes(8)), errors.AUTH),
        (beacon(OTHER, 60, PRESENT | 9, 1, data=b"\1\0\2\0\0\0\0\0"), errors.AUTH),
        (beacon(OTHER, 60, PRESENT | LAST_NUMBER + 1, 1), errors.RANGE),
        (notice(LANE, 2), errors.HEADER),
    ):
        assert member.hear_code(capsule) == code
    assert member.tick(0).epoch == PRESENT | 9
