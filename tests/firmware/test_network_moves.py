# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Moves from epoch to epoch: messages in progress, exported keys by epoch, numbers."""

import pytest
from hosts.administered import Member, beacon, message

from firmware.generations import ANY, GONE, LANE, OTHER, renew
from ndks_protocol import commands, errors
from ndks_protocol.commands import DATA, VERNAM, WIRE_HEADER_SIZE
from ndks_protocol.control.limits import AHEAD, LAST_NUMBER, MOVE_PAUSE, MOVES
from ndks_unit.flash.records import GENERATION
from ndks_unit.network import number_at
from ndks_unit.network.layout import AT_LOW, AT_LOW_SECRET, AT_SECRET, KEY


def low_of(member: Member) -> int:
    return number_at(member.state.log.body(GENERATION), AT_LOW)


class TestMoves:
    def test_by_a_beacon(self) -> None:
        member = Member(LANE)
        assert member.hear(beacon(OTHER, 1, 7, 0)) == commands.MOVED
        assert member.tick(0).epoch == 7
        assert member.seal()[1] == 7
        assert member.open(message(OTHER, 2, 7)) == (0, 7, b"hello")

    def test_by_the_right_first_chunk_of_a_message(self) -> None:
        member = Member(LANE)
        capsule = message(OTHER, 1, 3)
        altered = capsule[:-1] + bytes([capsule[-1] ^ 1])
        with pytest.raises(errors.UnitError, match="AUTH"):
            member.open(altered)
        assert member.tick(0).epoch == 0
        assert member.open(capsule) == (0, 3, b"hello")
        assert member.tick(0).epoch == 3

    def test_not_in_mode_a(self) -> None:
        member = Member(LANE)
        member.host.ask(commands.OPEN_KEYS, message(OTHER, 1, 3)[:WIRE_HEADER_SIZE], ANY)
        assert member.tick(0).epoch == 0

    def test_not_by_a_message_of_a_past_generation(self) -> None:
        member = Member(LANE)
        member.enter(1)
        assert member.open(message(OTHER, 1, 3)) == (0, 3, b"hello")
        assert member.tick(16).epoch == 1 << 16

    def test_once_in_64_ticks_and_the_first_of_a_session_at_once(self) -> None:
        member = Member(LANE)
        assert member.renew() == 1
        for number in (2, 3):
            assert member.open(message(OTHER, number, number)) == (0, number, b"hello")
        assert member.host.code(commands.RENEW) == errors.DELAYED
        member.wait(MOVE_PAUSE - 16)
        assert [member.tick(15).epoch, member.tick(1).epoch] == [1, 3], "the highest of those that were heard"
        assert member.hear(beacon(OTHER, 9, 9, 0)) == commands.LOWER_RANK
        member.host.restart()
        assert member.hear(beacon(OTHER, 10, 9, 0)) == commands.MOVED

    def test_a_tick_counts_16_at_most(self) -> None:
        member = Member(LANE)
        member.renew()
        for _ in range(3):
            member.tick(0xFFFF)
        assert member.host.code(commands.RENEW) == errors.DELAYED
        member.tick(16)
        assert member.renew() == 2

    def test_4096_at_a_time(self) -> None:
        member = Member(LANE)
        member.hear(beacon(OTHER, 1, 10_000, 0))
        for epoch in (AHEAD, 2 * AHEAD, 10_000, 10_000):
            assert member.tick(0).epoch == epoch
            member.wait(MOVE_PAUSE)

    def test_no_farther_than_the_last(self) -> None:
        member = Member(LANE)
        member.hear(beacon(OTHER, 1, LAST_NUMBER, 0))
        member.wait(4 * MOVE_PAUSE)
        assert member.tick(0).epoch == LAST_NUMBER
        assert member.host.code(commands.RENEW) == errors.RANGE

    def test_what_was_left_eight_moves_ago_is_gone(self) -> None:
        member = Member(LANE)
        lows: list[int] = []
        for _ in range(MOVES + 3):
            renew(member)
            lows.append(low_of(member))
        assert lows == [0] * 8 + [1, 2, 3]
        assert member.open(message(OTHER, 1, 3)) == (0, 3, b"hello")
        assert member.open_code(message(OTHER, 2, 2)) == errors.TOO_OLD

    def test_keys_below_are_in_no_record_and_no_file(self) -> None:
        from hosts.administered import epoch_secret

        member = Member(LANE)
        for _ in range(MOVES + 3):
            renew(member)
        body = bytes(member.state.log.body(GENERATION))
        assert body[AT_LOW_SECRET : AT_LOW_SECRET + KEY] == epoch_secret(0, 3)
        assert body[AT_SECRET : AT_SECRET + KEY] == epoch_secret(0, MOVES + 3)

    def test_it_survives_a_restart(self) -> None:
        member = Member(LANE)
        member.hear(beacon(OTHER, 1, 5, 0))
        member.host.restart()
        assert member.status()["epoch"] == 5
        assert member.open(message(OTHER, 2, 2)) == (0, 2, b"hello")


class TestMessagesInProgress:
    def begin(self, member: Member, token: bytes) -> bytes:
        return member.host.ask(commands.SEAL_BEGIN, token, VERNAM, DATA, bytes(8))[0]

    def test_they_go_on_over_a_move(self) -> None:
        member, other = Member(LANE), Member(OTHER)
        header = self.begin(member, bytes(8))
        coming = other.seal(b"x" * 10)[0]
        handle = member.host.ask(commands.OPEN_BEGIN, coming[:WIRE_HEADER_SIZE], ANY)[0]
        member.hear(beacon(7, 1, 1, 0))
        assert member.host.ask(commands.OPEN_CHUNK, handle, 0, 1, coming[WIRE_HEADER_SIZE:]) == (b"x" * 10,)
        chunk = member.host.ask(commands.SEAL_CHUNK, bytes(8), 0, 1, b"begun before")[0]
        assert other.open(header + bytes(chunk)) == (0, 0, b"begun before")

    def test_they_end_with_the_epoch_before_the_last(self) -> None:
        member = Member(LANE)
        self.begin(member, bytes(8))
        for number in (1, 2):
            member.host.code(commands.ROLE, commands.ELECTED)
            member.hear(beacon(7, number, number, 0))
            member.wait(MOVE_PAUSE)
        assert member.host.code(commands.SEAL_CHUNK, bytes(8), 0, 1, b"") == errors.CONFLICT

    def test_they_end_with_the_generation(self) -> None:
        member = Member(LANE)
        self.begin(member, bytes(8))
        member.enter(1)
        assert member.host.code(commands.SEAL_CHUNK, bytes(8), 0, 1, b"") == errors.CONFLICT

    @pytest.mark.parametrize("change", ["move", "generation"])
    def test_a_token_of_another_epoch_is_a_new_one(self, change: str) -> None:
        member, other = Member(LANE), Member(OTHER)
        first = self.begin(member, bytes(8))
        for each in (member, other):
            each.enter(1) if change == "generation" else each.hear(beacon(7, 1, 1, 0))
        second = self.begin(member, bytes(8))
        assert second != first
        chunk = member.host.ask(commands.SEAL_CHUNK, bytes(8), 0, 1, b"again")[0]
        assert other.open(second + bytes(chunk))[2] == b"again"


class TestExportedKeys:
    def read(self, member: Member, epoch: int, index: int = 1) -> bytes:
        return bytes(member.host.ask(commands.KEY_CHUNK, epoch, index, 0, 64)[0])

    def test_indices_begin_again_in_each_epoch(self) -> None:
        member = Member(LANE)
        member.host.ask(commands.ACKNOWLEDGE, 0, 5, 0)
        member.renew()
        assert member.host.ask(commands.NEXT_INDEX) == (1, 1)
        assert member.host.ask(commands.ACKNOWLEDGE, 1, 3, 0) == (4,)
        member.host.restart()
        assert member.host.ask(commands.NEXT_INDEX) == (1, 4)

    def test_kept_epochs_are_read_and_not_acknowledged(self) -> None:
        member = Member(LANE)
        keys = {0: self.read(member, 0)}
        for number in (1, 2):
            member.renew()
            member.wait(MOVE_PAUSE)
            keys[number] = self.read(member, number)
        assert len(set(keys.values())) == 3
        for epoch in (0, 2, 1, 2, 0, 1):
            assert self.read(member, epoch) == keys[epoch], "caches go by epoch"
        assert member.host.code(commands.KEY_CHUNK, 3, 1, 0, 64) == errors.EPOCH
        for epoch in (0, 1, 3):
            assert member.host.code(commands.ACKNOWLEDGE, epoch, 1, 0) == errors.EPOCH

    def test_two_units_make_the_same(self) -> None:
        first, second = Member(LANE), Member(OTHER)
        first.renew()
        second.hear(first.tick(0).capsule)
        for epoch in (0, 1):
            assert self.read(first, epoch) == self.read(second, epoch)

    def test_of_a_past_generation_while_nobody_was_revoked(self) -> None:
        member = Member(LANE)
        key = self.read(member, 0)
        member.enter(1)
        assert self.read(member, 0) == key, "a join must not lose keys"
        member.enter(2, (GONE,))
        assert member.host.code(commands.KEY_CHUNK, 0, 1, 0, 64) == errors.CUT
        assert member.host.code(commands.KEY_CHUNK, 9 << 16, 1, 0, 64) == errors.EPOCH

    def test_what_was_given_up_is_gone(self) -> None:
        member = Member(LANE)
        for _ in range(MOVES + 1):
            renew(member)
        assert member.host.code(commands.KEY_CHUNK, 0, 1, 0, 64) == errors.EPOCH
        assert self.read(member, 1)


def test_own_numbers_go_on_over_epochs_and_generations() -> None:
    member = Member(LANE)
    numbers: list[int] = []
    for step in (member.seal, member.renew, member.seal, lambda: member.enter(1), member.seal):
        step()
        numbers.append(member.status()["message_counter"])
    assert numbers == [1, 1, 2, 2, 3]
    member.host.ask(commands.CLOSE, 1)
    member.host.restart()
    assert member.status()["message_counter"] == 3
