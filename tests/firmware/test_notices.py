# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""ENROL, NOTICE and HINT: each check for its own reason and in its order, and what a unit has afterwards."""

import struct
from typing import Any

import pytest
from hosts.administered import OPERATORS, Member, beacon, enrolment, member_key, message, notice, secret_of
from hosts.memory import Host, new_unit
from hosts.network import BINDING

from ndks.crypto import CRYPTO
from ndks_protocol import commands, errors
from ndks_protocol.commands import VOUCHED, WIRE_HEADER_SIZE
from ndks_protocol.control.ladder import hint_of
from ndks_protocol.control.limits import ADMINISTRATOR_LANE, LAST_GENERATION, LAST_MEMBER_LANE, MAX_REVOKED, PAST
from ndks_protocol.control.notice import Notice
from ndks_protocol.network_id import control_key, generation_id, network_id
from ndks_unit.flash.records import (
    FIRST_KEY,
    GENERATION,
    LARGEST_GENERATION,
    LARGEST_PAST,
    MEMBERSHIP,
    WINDOW_KINDS,
)
from ndks_unit.flash.records import PAST as PAST_RECORD
from ndks_unit.membership import Membership
from ndks_unit.network.layout import AT_SETTLED, GREW, PAST_SIZE, SETTLED

LANE, OTHER = 1, 2
REVOKED = (5, 9)


@pytest.fixture
def member() -> Member:
    """A member in generation 2, which knows two revoked lanes."""
    member = Member(LANE, generation=2, enters=False)
    member.enter(2, REVOKED)
    return member


def content(**changes: Any) -> bytes:
    """Return the data of a notice for generation 3 with other fields."""
    values: dict[str, Any] = {"revoked": REVOKED, "operators": OPERATORS, "others": ()} | changes
    lanes = struct.pack(f">{len(values['revoked'])}H", *values["revoked"])
    others = [(g, 0, values.get("their_operators", OPERATORS), secret_of(g)) for g in values["others"]]
    return Notice(3, values["operators"], secret_of(3), lanes, others).pack()


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


class TestWindows:
    def accept(self, member: Member) -> None:
        member.host.ask(commands.ACCEPT, message(OTHER, 70, 2 << 16)[:37], 0)

    def kinds(self, member: Member) -> list[int]:
        return [kind for kind in WINDOW_KINDS if member.state.log.body(kind)]

    def test_they_stay_while_nobody_else_is_revoked(self, member: Member) -> None:
        self.accept(member)
        member.enter(3, REVOKED)
        member.host.restart()
        member.host.open()
        assert len(self.kinds(member)) == 1
        assert member.host.code(commands.OPEN_BEGIN, message(OTHER, 70, 3 << 16)[:37], 0) == errors.DUPLICATE

    def test_they_are_emptied_when_the_list_grows(self, member: Member) -> None:
        self.accept(member)
        member.enter(3, (*REVOKED, 77))
        assert self.kinds(member) == []
        member.host.restart()
        assert member.host.code(commands.OPEN_BEGIN, message(OTHER, 70, 3 << 16)[:37], 0) == 0


class TestEnrolment:
    def test_a_new_member_waits_for_its_first_notice(self) -> None:
        member = Member(LANE, generation=5, enters=False)
        status = member.status()
        assert (status["state"], status["lane"], status["network"]) == (commands.STATE_PROVISIONED, LANE, "test")
        assert (status["epoch"], status["network_id"], status["generation_id"]) == (0, bytes(8), bytes(8))
        assert status["held"] == b"\xff" * 14
        requests: list[tuple[commands.Command, tuple[Any, ...]]] = [
            (commands.NEXT_INDEX, ()),
            (commands.KEY_CHUNK, (0, 1, 0, 32)),
            (commands.ACKNOWLEDGE, (0, 1, 0)),
            (commands.SEAL_BEGIN, (bytes(8), 0, 0, bytes(8))),
            (commands.SEAL_BEGIN, (bytes(8), 9, 1, bytes(8))),
            (commands.SEAL_KEYS, (bytes(8), 0, 0, bytes(8))),
            (commands.OPEN_BEGIN, (message(OTHER, 1)[:37], 0)),
            (commands.OPEN_KEYS, (message(OTHER, 1)[:37], 0)),
            (commands.ACCEPT, (message(OTHER, 1)[:37], 0)),
            (commands.TICK, (1,)),
            (commands.CONTROL, (beacon(OTHER, 1, 0, 1),)),
            (commands.RENEW, ()),
            (commands.ROLE, (0,)),
        ]
        for command, values in requests:
            assert member.host.code(command, *values) == errors.NO_EPOCH, command.name
        assert member.host.code(commands.TRUST, OTHER, bytes(range(16))) == 0
        assert member.host.code(commands.HINT, 4) == errors.STALE
        assert member.host.ask(commands.HINT, 5) == (hint_of(CRYPTO, member_key(LANE, 5)),)
        assert member.enter_code(4) == errors.STALE
        assert member.enter(5) == 5 << 16

    def test_it_may_enter_a_later_generation(self) -> None:
        member = Member(LANE, generation=5, enters=False)
        assert member.enter(8, REVOKED) == 8 << 16
        assert member.enter_code(8, REVOKED) == errors.STALE

    def test_generation_0_is_that_of_the_network_file(self) -> None:
        member = Member(LANE)
        status = member.status()
        assert status["network_id"] == network_id(CRYPTO, secret_of(0), 1, 3, "0.52", "25")
        assert member.open(message(OTHER, 1)) == (0, 0, b"hello")

    def test_its_mode_is_that_of_the_package(self) -> None:
        member = Member(LANE, enters=False, unit=enrolled(mode=commands.MONITOR).host.unit)
        member.enter(0)
        assert member.tick(16).role == commands.MONITOR

    def test_the_first_key_goes(self) -> None:
        member = Member(LANE, generation=3, enters=False)
        member.host.open()
        assert bytes(member.state.log.body(FIRST_KEY)) == b"\0\3" + member_key(LANE, 3) + b"\0"
        assert not any(bytes(member.state.log.body(MEMBERSHIP))[9:41])
        member.enter(3)
        assert member.state.log.body(FIRST_KEY) is None
        assert member.state.log.body(GENERATION)[AT_SETTLED] == SETTLED

    @pytest.mark.parametrize(
        "changes",
        [
            {"lane": 0},
            {"lane": LAST_MEMBER_LANE + 1},
            {"g": LAST_GENERATION + 1},
            {"suite": 2},
            {"cipher": 2},
            {"digits": 0},
            {"p1": b"0"},
            {"f1": 3},
            {"f2": 3},
            {"mode": 3},
        ],
        ids=str,
    )
    def test_fields_out_of_range(self, changes: dict[str, Any]) -> None:
        member = Member.__new__(Member)
        member.lane, member.host = LANE, Host()
        with pytest.raises(errors.UnitError, match="RANGE"):
            member.enrol(**changes)
        assert member.state.lifecycle == commands.STATE_BLANK
        assert member.enrol() == (LANE, 0)

    def test_no_joining_key(self) -> None:
        assert Host().code(commands.ENROL, BINDING, bytes(100)) == errors.NO_JOINING_KEY

    def test_fields_of_another_layout(self) -> None:
        from conversation import sealed

        host = Host()
        host.ask(commands.JOINING_KEY)
        private = bytes(host.firmware.state.log.body(0xF3)[:32])
        for fields in (enrolment(LANE)[:-1], enrolment(LANE) + b"\0"):
            assert host.code(commands.ENROL, BINDING, sealed(private, fields)) == errors.BAD_REQUEST


def enrolled(**changes: Any) -> Member:
    member = Member.__new__(Member)
    member.lane, member.host = LANE, Host(new_unit())
    member.enrol(**changes)
    return member


class TestOperators:
    """d, f1 and f2 belong to a generation, and late messages of another are opened with its own."""

    def test_they_change_and_the_past_keeps_its_own(self) -> None:
        member, other = Member(LANE), Member(OTHER)
        late, _ = other.seal(b"late")
        for each in (member, other):
            each.enter(1, operators=(5, 1, 2))
        status = member.status()
        assert (status["digits"], status["f1"], status["f2"]) == (5, 1, 2)
        now, _ = other.seal(b"now")
        assert [member.open(each)[2] for each in (now, late, now)] == [b"now", b"late", b"now"]

    def test_the_next_start_loads_their_tables(self) -> None:
        member = Member(LANE)
        member.enter(1, operators=(2, 0, 0))
        member.host.restart()
        assert member.state.bound.digits == 2
        assert member.status()["digits"] == 2


def test_windows_of_before_a_revocation_go_even_if_the_drive_was_not_writable(member: Member) -> None:
    member.open(message(OTHER, 9, 2 << 16))
    member.host.ask(commands.ACCEPT, message(OTHER, 9, 2 << 16)[:WIRE_HEADER_SIZE], 0)
    flash = member.host.unit.flash
    flash.drive_is_writable = False
    member.enter(3, (*REVOKED, 20))
    member.enter(4, (*REVOKED, 20))
    assert member.state.log.body(GENERATION)[AT_SETTLED] == GREW
    flash.drive_is_writable = True
    member.host.restart()
    assert member.status()["generation_id"] == generation_id(CRYPTO, control_key(CRYPTO, secret_of(4)))
    assert not any(member.state.log.body(kind) for kind in WINDOW_KINDS)
    member.host.ask(commands.ACCEPT, message(OTHER, 9, 4 << 16)[:WIRE_HEADER_SIZE], 0)


def test_a_move_without_memory_locks_the_unit_which_forgets_its_tokens(
    member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = bytes(8), 0, 0, bytes(8)
    header, _ = member.host.ask(commands.SEAL_BEGIN, *request)
    monkeypatch.setattr(Membership, "make_generator", _no_memory)
    assert member.host.code(commands.RENEW) == errors.INTERNAL
    monkeypatch.undo()
    assert member.host.code(commands.TICK, 0) == errors.LOCKED
    member.host.open()
    assert member.host.ask(commands.SEAL_BEGIN, *request) != (header, 2 << 16 | 1)


def _no_memory(*_: Any) -> None:
    raise MemoryError


def test_erased_by_zeroize_or_an_opened_case(member: Member) -> None:
    member.host.hello()
    member.host.ask(commands.ZEROIZE, commands.CONFIRMATION, member.host.unit.board.uid)
    assert all(member_key(LANE, 3) not in image for image in member.host.unit.flash.images)
    assert member.state.roles is None
    assert member.host.code(commands.TICK, 1) == errors.BLANK


def test_no_secret_of_a_notice_stays_in_the_buffer_of_pieces(member: Member) -> None:
    member.enter(5, REVOKED, others=(0, 3))
    assert all(secret_of(g) not in bytes(member.state.piece) for g in (0, 3, 5))
    assert member.open(message(OTHER, 1, 5 << 16, b"hello"))[2] == b"hello"
    member.host.ask(commands.CLOSE, 0)
    assert not any(member.state.piece)


def test_nothing_of_a_network_is_kept_after_a_session(member: Member) -> None:
    member.open(message(OTHER, 1, 2 << 16 | 3))
    state = member.state
    roles, other = state.roles, state.other
    assert roles
    assert other
    member.host.ask(commands.CLOSE, 0)
    assert (state.roles, state.other, state.opened, state.incoming) == (None, None, None, None)
    assert roles.hinted == (0, b"")
    assert not any(other.secret)
    assert member.host.code(commands.OPEN_BEGIN, message(OTHER, 1, 2 << 16)[:37], VOUCHED) == 0


def test_a_unit_whose_case_opens_does_not_finish_a_minute_of_steps(
    member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, fed = member.host.unit.board, 0

    def feed() -> None:
        nonlocal fed
        fed += 1
        if fed == 10:
            member.host.unit.case.open()

    monkeypatch.setattr(board, "feed_watchdog", feed)
    assert member.host.code(commands.HINT, 60_000) == errors.TAMPERED
    assert fed < 20, "of about 234"
    assert member.state.lifecycle == commands.STATE_TAMPERED


@pytest.mark.parametrize("command", [commands.TICK, commands.HINT, commands.RENEW, commands.NOTICE])
def test_commands_of_networks_need_a_member_and_a_session(command: commands.Command) -> None:
    host = Host(opens=False)
    payload = bytes(2) if command is not commands.RENEW else b""
    assert host.exchange(command, payload)[1] == errors.BLANK.to_bytes(2)
    member = Member(LANE)
    member.host.opens = False
    member.host.restart()
    assert member.host.exchange(command, payload)[1] == errors.LOCKED.to_bytes(2)
