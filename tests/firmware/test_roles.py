# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Roles, row by row of the table in PROTOCOL.md section 11."""

import pytest
from hosts.administered import Member, Ticked, beacon
from hosts.memory import Host, new_flash, new_unit

from ndks_protocol import commands, errors
from ndks_protocol.commands import (
    DATA,
    ELECTED,
    HEARD,
    HOUSEKEEPING,
    LOWER_RANK,
    MASTER,
    MESSAGE,
    MONITOR,
    MOVED,
    RELAY,
    SLAVE,
)
from ndks_protocol.control.limits import BEACON, LAST_TERM, MOVE_PAUSE, SILENCE

LANE, LOW, HIGH = 10, 3, 20  # the own lane, and lanes below and above
DRAWN = b"\0\x0f"  # 4 bits
PATIENCE = SILENCE + 4
ROLE_MODES = [ELECTED, RELAY]


class Chance:
    """Random bytes; two of them decide how long a unit waits."""

    def __init__(self) -> None:
        self.drawn, self.calls = DRAWN, 0

    def __call__(self, size: int) -> bytes:
        self.calls += 1
        return self.drawn if size == 2 else self.calls.to_bytes(size)


@pytest.fixture
def chance() -> Chance:
    return Chance()


@pytest.fixture
def member(chance: Chance) -> Member:
    return Member(LANE, new_unit(new_flash(), chance))


def lead(member: Member) -> Ticked:
    """Let the member wait until it is master."""
    while not (ticked := member.tick(1)).role:
        pass
    return ticked


def ticks_until_it_leads(member: Member) -> int:
    count = 1
    while not member.tick(1).role:
        count += 1
    return count


def set_mode(member: Member, mode: int) -> None:
    assert member.host.ask(commands.ROLE, mode) == ()


class TestSlave:
    def test_of_a_new_session(self, member: Member) -> None:
        lead(member)
        member.host.restart()
        assert member.tick(0) == Ticked(SLAVE, 0, 0, 0, 0, b"")
        assert ticks_until_it_leads(member) == PATIENCE

    def test_of_a_new_generation(self, member: Member) -> None:
        member.hear(beacon(HIGH, 1, 0, 7))
        member.tick(16)
        member.enter(1)
        assert member.tick(0) == Ticked(SLAVE, 1 << 16, 0, 0, 0, b"")
        assert ticks_until_it_leads(member) == PATIENCE

    def test_who_was_master_leads_again_at_once(self, member: Member) -> None:
        assert lead(member).term == 1
        member.enter(1)
        ticked = member.tick(0)
        assert ticked[:5] == (MASTER, 1 << 16, 0, 1, LANE)
        assert len(ticked.capsule) == 78

    def test_leads_after_its_patience(self, member: Member) -> None:
        for _ in range(PATIENCE - 1):
            assert member.tick(1).role == SLAVE
        ticked = member.tick(1)
        assert ticked[:5] == (MASTER, 0, 0, 1, LANE)
        assert len(ticked.capsule) == 78

    @pytest.mark.parametrize(
        ("drawn", "bits"), [(b"\0\0", 1), (b"\0\1", 1), (b"\0\2", 2), (b"\0\xff", 8), (b"\1\0", 9), (b"\xff\xff", 16)]
    )
    def test_patience_has_a_chance(self, chance: Chance, drawn: bytes, bits: int) -> None:
        chance.drawn = drawn
        assert ticks_until_it_leads(Member(LANE, new_unit(new_flash(), chance))) == SILENCE + bits

    def test_follows_its_master(self, member: Member) -> None:
        for n in range(1, 9):
            assert member.hear(beacon(HIGH, n, 0, 1)) == HEARD
            for _ in range(2):
                assert member.tick(16)[3:5] == (1, HIGH)
        assert ticks_until_it_leads(member) == PATIENCE - 32

    def test_a_master_that_lags_is_silent(self, member: Member) -> None:
        member.hear(beacon(HIGH, 1, 1, 1))
        for n in range(2, 6):
            member.tick(8)
            assert member.hear(beacon(HIGH, n, 0, 1)) == HEARD
        assert ticks_until_it_leads(member) == PATIENCE - 32

    def test_a_master_that_is_replayed_is_silent(self, member: Member) -> None:
        member.hear(beacon(HIGH, 5, 0, 1))
        for n in (5, 4, 5, 1):
            member.tick(8)
            assert member.hear(beacon(HIGH, n, 0, 1)) == HEARD
        assert ticks_until_it_leads(member) == PATIENCE - 32

    def test_a_master_ahead_is_alive_though_the_move_waits(self, member: Member) -> None:
        member.hear(beacon(HIGH, 1, 1, 1))
        for n in range(2, 5):
            member.tick(16)
            assert member.hear(beacon(HIGH, n, n, 1)) == HEARD
        assert member.tick(0).epoch == 1
        assert ticks_until_it_leads(member) == PATIENCE

    def test_a_master_is_heard_by_a_unit_that_cannot_write(
        self, member: Member, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise errors.UnitError(errors.STORAGE)

        monkeypatch.setattr(member.state.log, "append", refuse)
        assert member.hear(beacon(HIGH, 1, 1, 7)) == HEARD
        assert member.tick(16) == Ticked(SLAVE, 0, 0, 7, HIGH, b"")
        assert member.host.code(commands.RENEW) == errors.STORAGE
        monkeypatch.undo()
        assert member.hear(beacon(HIGH, 2, 1, 7)) == MOVED

    def test_another_of_lower_rank_is_no_master(self, member: Member) -> None:
        member.hear(beacon(HIGH, 1, 0, 2))
        assert member.hear(beacon(LOW, 1, 0, 2)) == LOWER_RANK
        assert member.hear(beacon(LOW, 2, 0, 1)) == LOWER_RANK
        assert member.tick(0)[3:5] == (2, HIGH)
        assert member.hear(beacon(LOW, 3, 0, 3)) == HEARD
        assert member.tick(0)[3:5] == (3, LOW)

    def test_an_own_beacon_is_no_news(self, member: Member) -> None:
        assert member.hear_code(beacon(LANE, 1, 0, 5)) == errors.REFLECTED


class TestMaster:
    def test_beacons_after_8_ticks(self, member: Member) -> None:
        lead(member)
        for _ in range(3):
            quiet = [member.tick(1).capsule for _ in range(BEACON - 1)]
            assert quiet == [b""] * (BEACON - 1)
            assert len(member.tick(1).capsule) == 78

    def test_its_beacons_differ_and_take_numbers(self, member: Member) -> None:
        first = lead(member).capsule
        second = member.tick(BEACON).capsule
        assert first != second
        assert member.status()["message_counter"] == 2

    def test_a_lower_rank_makes_it_beacon_at_once(self, member: Member) -> None:
        lead(member)
        assert member.hear(beacon(LOW, 1, 0, 1)) == LOWER_RANK
        assert len(member.tick(0).capsule) == 78
        assert member.tick(0).capsule == b""

    def test_a_higher_rank_makes_it_a_slave(self, member: Member) -> None:
        lead(member)
        assert member.hear(beacon(HIGH, 1, 0, 1)) == HEARD
        assert member.tick(0) == Ticked(SLAVE, 0, 0, 1, HIGH, b"")
        assert ticks_until_it_leads(member) == PATIENCE

    def test_due_or_not_a_slave_gives_no_beacon(self, member: Member) -> None:
        member.renew()
        member.hear(beacon(HIGH, 1, 0, 9))
        assert member.tick(0).capsule == b""

    def test_the_term_ends(self, member: Member) -> None:
        member.hear(beacon(HIGH, 1, 0, LAST_TERM))
        assert lead(member)[3:5] == (LAST_TERM, LANE)
        assert member.hear(beacon(HIGH, 2, 0, LAST_TERM)) == HEARD
        assert member.tick(0).master == HIGH

    def test_two_units_understand_each_other(self, member: Member) -> None:
        other = Member(HIGH)
        assert other.hear(lead(member).capsule) == HEARD
        assert other.tick(0)[3:5] == (1, LANE)


@pytest.mark.parametrize("mode", ROLE_MODES)
def test_who_renews_leads(member: Member, mode: int) -> None:
    set_mode(member, mode)
    member.hear(beacon(HIGH, 1, 0, 3))
    assert member.renew() == 1
    ticked = member.tick(0)
    assert ticked[:5] == (MASTER, 1, 0, 4, LANE)
    assert len(ticked.capsule) == 78
    member.wait(MOVE_PAUSE)
    assert member.renew() == 2
    assert member.tick(0).term == 4, "it was master"


class TestRelay:
    @pytest.mark.parametrize(("kind", "leads"), [(DATA, True), (MESSAGE, True), (HOUSEKEEPING, False)])
    def test_who_sends_leads(self, member: Member, kind: int, leads: bool) -> None:
        set_mode(member, RELAY)
        member.hear(beacon(HIGH, 1, 0, 3))
        member.seal(b"hello", kind)
        assert member.tick(0)[3:5] == ((4, LANE) if leads else (3, HIGH))
        member.seal(b"hello", kind)
        assert member.tick(0).term == (4 if leads else 3)

    def test_in_mode_a_as_well_and_not_for_a_repeated_token(self, member: Member) -> None:
        set_mode(member, RELAY)
        for _ in range(2):
            member.host.ask(commands.SEAL_KEYS, bytes(8), 0, DATA, bytes(8))
            assert member.tick(0).term == 1
        member.hear(beacon(HIGH, 1, 0, 3))
        member.host.ask(commands.SEAL_KEYS, bytes(8), 0, DATA, bytes(8))
        assert member.tick(0).master == HIGH

    def test_elected_ones_do_not_lead_by_sending(self, member: Member) -> None:
        member.seal()
        assert member.tick(0).role == SLAVE

    def test_the_mode_survives_restart_move_and_generation(self, member: Member) -> None:
        set_mode(member, RELAY)
        member.renew()
        member.enter(1)
        member.host.restart()
        member.hear(beacon(HIGH, 1, 1 << 16, 3))
        member.seal()
        assert member.tick(0).master == LANE


class TestMonitor:
    def test_it_never_leads_and_never_beacons(self, member: Member) -> None:
        lead(member)
        set_mode(member, MONITOR)
        for _ in range(8):
            ticked = member.tick(16)
            assert (ticked.role, ticked.master, ticked.capsule) == (MONITOR, 0, b"")
        member.seal()
        assert member.tick(16).capsule == b""

    def test_it_follows_and_moves(self, member: Member) -> None:
        set_mode(member, MONITOR)
        assert member.hear(beacon(HIGH, 1, 5, 3)) == commands.MOVED
        assert member.tick(0) == Ticked(MONITOR, 5, 0, 3, HIGH, b"")

    def test_it_does_not_renew(self, member: Member) -> None:
        set_mode(member, MONITOR)
        assert member.host.code(commands.RENEW) == errors.RANGE
        set_mode(member, ELECTED)
        assert member.renew() == 1

    def test_no_other_modes(self, member: Member) -> None:
        for mode in (3, 255):
            assert member.host.code(commands.ROLE, mode) == errors.RANGE

    def test_the_same_mode_writes_nothing(self, member: Member) -> None:
        set_mode(member, MONITOR)
        before = member.host.unit.flash.images
        set_mode(member, MONITOR)
        assert member.host.unit.flash.images == before


def test_others_never_beacon(member: Member) -> None:
    """Blank, erased and locked units; a revoked one refuses the generation that names it."""
    lead(member)
    assert member.enter_code(1, (LANE,)) == errors.RANGE
    member.host.hello()
    member.host.opens = False
    assert member.host.code(commands.TICK, 16) == errors.LOCKED
    member.host.ask(commands.ZEROIZE, commands.CONFIRMATION, member.host.unit.board.uid)
    assert member.host.code(commands.TICK, 16) == errors.BLANK
    assert Host(opens=False).code(commands.TICK, 16) == errors.BLANK


def test_a_tick_that_cannot_take_a_number(member: Member) -> None:
    """The beacon stays due."""
    member.status()
    member.state.message_counter._next = member.state.message_counter._end = 1 << 48
    member.renew()
    assert member.host.code(commands.TICK, 0) == errors.RANGE
    assert member.host.code(commands.TICK, 0) == errors.RANGE
