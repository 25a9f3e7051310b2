# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a unit loses when it moves to a generation, is erased or fails: windows, tokens, secrets."""

from typing import Any

import pytest
from hosts.administered import Member, member_key, message, secret_of
from hosts.memory import Host

from firmware.notices import LANE, OTHER, REVOKED, member_that_knows_revoked_lanes
from ndks.crypto import CRYPTO
from ndks_protocol import commands, errors
from ndks_protocol.commands import VOUCHED, WIRE_HEADER_SIZE
from ndks_protocol.network_id import control_key, generation_id
from ndks_unit.flash.records import GENERATION, WINDOW_KINDS
from ndks_unit.membership import Membership
from ndks_unit.network.layout import AT_SETTLED, GREW


@pytest.fixture
def member() -> Member:
    return member_that_knows_revoked_lanes()


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
