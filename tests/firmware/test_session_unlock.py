# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of UNLOCK: the key of the flash, and the host's floor of numbers."""

import pytest
from hosts.memory import Host

from firmware.sessions import NEED_A_SESSION, WRONG_KEK, values_of
from ndks_protocol import commands, errors
from ndks_protocol.commands import INDEX_BITS, MAX_JUMP


class TestUnlock:
    def test_before_it_there_is_nothing(self, laptop: Host) -> None:
        for proved in (False, True):
            if proved:
                laptop.begin()
                laptop.prove()
            for command in NEED_A_SESSION:
                assert laptop.code(command, *values_of(command)) == errors.LOCKED
            status = laptop.status()
            assert (status["state"], status["network"], status["lane"]) == (commands.STATE_LOCKED, "", 0)
            assert (status["network_id"], status["message_counter"]) == (bytes(8), 0)
        assert laptop.status()["wrong_attempts"] == 0, "LOCKED is no attempt"

    def test_it_needs_a_session(self, laptop: Host) -> None:
        laptop.begin()
        assert laptop.session
        for _ in range(2):
            assert laptop.code(commands.UNLOCK, laptop.session.kek, 0, 0) == errors.LOCKED
            laptop.hello()
            laptop.begin()
        assert laptop.status()["wrong_attempts"] == 0

    def test_a_wrong_key_changes_nothing_and_the_session_goes_on(self, laptop: Host) -> None:
        laptop.begin()
        laptop.prove()
        before = laptop.unit.flash.images
        for kek in (WRONG_KEK, bytes(range(32))):
            assert laptop.code(commands.UNLOCK, kek, 0, 1) == errors.KEK
            assert laptop.status()["state"] == commands.STATE_LOCKED
            assert laptop.code(commands.NEXT_INDEX) == errors.LOCKED
            assert laptop.status()["wrong_attempts"] == 0
        assert laptop.unit.flash.images == before
        laptop.unlock()
        assert laptop.ask(commands.NEXT_INDEX) == (0, 1)
        before = laptop.unit.flash.images
        assert laptop.code(commands.UNLOCK, WRONG_KEK, 0, 0) == errors.KEK
        assert laptop.code(commands.NEXT_INDEX) == errors.LOCKED, (
            "a wrong key locks the unit, so that nobody can guess it"
        )
        assert laptop.unit.flash.images == before

    def test_a_wrong_key_ruins_no_number(self, laptop: Host) -> None:
        laptop.begin()
        laptop.prove()
        laptop.code(commands.UNLOCK, WRONG_KEK, 1000, 0)
        laptop.unlock()
        assert laptop.status()["message_counter"] == 0

    def test_it_may_come_again(self, laptop: Host) -> None:
        laptop.open()
        laptop.ask(commands.ACKNOWLEDGE, 0, 1, 0)
        laptop.unlock()
        assert laptop.ask(commands.NEXT_INDEX) == (0, 2)

    @pytest.mark.parametrize("given_before", [0, 1, 64, 70])
    @pytest.mark.parametrize("minimum", [0, 1, 5, 63, 64, 65, 70, 71, 128, 1000, MAX_JUMP])
    def test_numbers_go_on_above_the_hosts_floor(self, laptop: Host, given_before: int, minimum: int) -> None:
        laptop.open()
        for token in range(given_before):
            self.seal(laptop, token)
        laptop.open(minimum=minimum)
        assert laptop.status()["message_counter"] == max(minimum, given_before)
        self.seal(laptop, 1000)
        assert laptop.status()["message_counter"] == max(minimum, given_before) + 1
        laptop.restart()
        laptop.open()
        assert laptop.status()["message_counter"] > max(minimum, given_before), "it was reserved before it was used"

    def test_a_floor_is_written_once(self, laptop: Host) -> None:
        before = laptop.unit.flash.images
        laptop.open(minimum=5000)
        written = laptop.unit.flash.images
        assert written != before
        laptop.open(minimum=5000)
        assert laptop.unit.flash.images == written

    def test_an_old_image_of_the_flash_gives_no_number_again(self, laptop: Host) -> None:
        laptop.open()
        image = laptop.unit.clone()
        for token in range(100):
            self.seal(laptop, token)
        minimum = laptop.status()["message_counter"]
        rolled_back = Host(image, opens=False)
        rolled_back.open(minimum=minimum)
        self.seal(rolled_back, 0)
        assert rolled_back.status()["message_counter"] == minimum + 1 == 101

    def test_far_ahead_needs_leave(self, laptop: Host) -> None:
        laptop.begin()
        laptop.prove()
        before = laptop.unit.flash.images
        for minimum in (MAX_JUMP + 2, (1 << INDEX_BITS) - 1):
            for _ in range(2):
                assert laptop.session
                assert laptop.code(commands.UNLOCK, laptop.session.kek, minimum, 0) == errors.TOO_FAR
                assert laptop.code(commands.NEXT_INDEX) == errors.LOCKED, "nothing was unlocked"
        assert laptop.unit.flash.images == before
        laptop.unlock(minimum=MAX_JUMP + 2, allow_jump=1)
        assert laptop.status()["message_counter"] == MAX_JUMP + 2
        laptop.open(minimum=(1 << INDEX_BITS) - 2, allow_jump=1)
        self.seal(laptop, 1)
        assert laptop.code(commands.SEAL_BEGIN, b"token  2", 0, 0, bytes(8)) == errors.RANGE

    def test_no_number_is_as_high_as_a_lane(self, laptop: Host) -> None:
        laptop.begin()
        laptop.prove()
        for minimum in (1 << INDEX_BITS, (1 << 64) - 1):
            assert laptop.session
            assert laptop.code(commands.UNLOCK, laptop.session.kek, minimum, 1) == errors.RANGE
            assert is_unlocked(laptop) is False
        laptop.unlock()

    def seal(self, laptop: Host, token: int) -> None:
        laptop.ask(commands.SEAL_BEGIN, token.to_bytes(8), 0, 0, bytes(8))


def is_unlocked(laptop: Host) -> bool:
    return laptop.firmware.state.opened is not None
