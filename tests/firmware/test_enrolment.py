# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""ENROL, and the operators of a generation."""

from typing import Any

import pytest
from hosts.administered import Member, beacon, enrolment, member_key, message, secret_of
from hosts.memory import Host, new_unit
from hosts.network import BINDING

from firmware.notices import LANE, OTHER, REVOKED
from ndks.crypto import CRYPTO
from ndks_protocol import commands, errors
from ndks_protocol.control.ladder import hint_of
from ndks_protocol.control.limits import LAST_GENERATION, LAST_MEMBER_LANE
from ndks_protocol.network_id import network_id
from ndks_unit.flash.records import FIRST_KEY, GENERATION, MEMBERSHIP
from ndks_unit.network.layout import AT_SETTLED, SETTLED


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
