# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of wrong proofs: they count, and each doubles the delay."""

import pytest
from hosts.memory import Host
from hosts.sessions import SHARE

from firmware.sessions import LONGEST_DELAY, WRONG_PROOF, is_locked, values_of
from ndks_protocol import commands, errors
from ndks_unit.board import TICKS_PERIOD

OTHER_BINDING = bytes(range(96, 128))


class TestWrongProofs:
    def attempt(self, laptop: Host, proof: bytes = WRONG_PROOF) -> None:
        """Make an attempt after the delay."""
        laptop.unit.clock.milliseconds += LONGEST_DELAY
        laptop.begin()
        with pytest.raises(errors.UnitError, match="LOCKED"):
            laptop.prove(proof)

    def test_they_are_counted_also_over_restarts_until_one_is_right(self, laptop: Host) -> None:
        for count in range(1, 8):
            self.attempt(laptop)
            assert is_locked(laptop)
            assert laptop.status()["wrong_attempts"] == count
            if count % 2:
                laptop.restart()
                assert laptop.status()["wrong_attempts"] == count
        laptop.unit.clock.milliseconds += LONGEST_DELAY
        laptop.begin()
        assert laptop.status()["wrong_attempts"] == 7
        laptop.prove()
        assert laptop.status()["wrong_attempts"] == 0
        laptop.restart()
        assert laptop.status()["wrong_attempts"] == 0

    def test_any_bit_of_a_proof_counts(self, laptop: Host) -> None:
        for bit in range(0, 128, 9):
            laptop.unit.clock.milliseconds += LONGEST_DELAY
            laptop.begin()
            assert laptop.session
            right = int.from_bytes(laptop.session.host_proof)
            assert laptop.code(commands.PROVE, (right ^ 1 << bit).to_bytes(16)) == errors.LOCKED

    def test_another_binding_proves_nothing(self, laptop: Host) -> None:
        unit_proof = laptop.begin(OTHER_BINDING)
        assert laptop.session
        assert unit_proof != laptop.session.unit_proof
        assert laptop.code(commands.PROVE, laptop.session.host_proof) == errors.LOCKED

    def test_the_units_own_proof_is_not_taken_for_the_hosts(self, laptop: Host) -> None:
        assert laptop.code(commands.PROVE, laptop.begin()) == errors.LOCKED

    def test_a_proof_is_good_for_one_session(self, laptop: Host) -> None:
        laptop.begin()
        assert laptop.session
        overheard = laptop.session.host_proof
        laptop.prove()
        for restart in (False, True):
            if restart:
                laptop.restart()
            self.attempt(laptop, overheard)

    def test_an_opening_is_good_for_one_proof(self, laptop: Host) -> None:
        laptop.begin()
        assert laptop.session
        assert laptop.code(commands.PROVE, WRONG_PROOF) == errors.LOCKED
        for proof in (WRONG_PROOF, laptop.session.host_proof):
            assert laptop.code(commands.PROVE, proof) == errors.CONFLICT
        assert laptop.status()["wrong_attempts"] == 1

    def test_without_an_opening_nothing_is_proved_and_nothing_counted(self, laptop: Host) -> None:
        def hello_only() -> None:
            laptop.hello()

        def close() -> None:
            laptop.begin()
            laptop.ask(commands.CLOSE, 0)

        def disconnect() -> None:
            laptop.begin()
            laptop.disconnect()

        def hello_after() -> None:
            laptop.begin()
            laptop.hello()

        for before in (lambda: None, hello_only, close, disconnect, hello_after, laptop.restart):
            before()
            assert laptop.code(commands.PROVE, WRONG_PROOF) == errors.CONFLICT
        assert laptop.status()["wrong_attempts"] == 0

    def test_only_a_well_formed_wrong_proof_counts(self, laptop: Host) -> None:
        before = laptop.unit.flash.images
        laptop.begin()
        for payload in (b"", bytes(15), bytes(17), bytes(128)):
            frame = laptop.send(commands.PROVE, payload)
            assert bytes(frame.payload) == errors.BAD_REQUEST.to_bytes(2)
        for command in commands.TABLE.values():
            if command not in (commands.PROVE, commands.ZEROIZE, commands.PROVISION):
                laptop.code(command, *values_of(command))
        for _ in range(20):
            laptop.hello()
            assert laptop.status()["wrong_attempts"] == 0
            laptop.code(commands.OPEN_SESSION, *SHARE)
        assert laptop.unit.flash.images == before

    def test_each_doubles_the_delay_up_to_a_minute(self, laptop: Host) -> None:
        expected = 200
        for _ in range(14):
            self.attempt(laptop)
            self.assert_delayed(laptop, expected)
            laptop.restart()
            self.assert_delayed(laptop, expected)
            expected = min(2 * expected, LONGEST_DELAY)
        assert laptop.status()["wrong_attempts"] == 14, "those that were delayed do not count"
        laptop.unit.clock.milliseconds += LONGEST_DELAY
        laptop.open()
        laptop.open()
        self.attempt(laptop)
        self.assert_delayed(laptop, 200)

    def assert_delayed(self, laptop: Host, milliseconds: int) -> None:
        for step in (0, 1, milliseconds - 2):
            laptop.unit.clock.milliseconds += step
            assert laptop.code(commands.OPEN_SESSION, *SHARE) == errors.DELAYED
            assert laptop.code(commands.PROVE, WRONG_PROOF) == errors.CONFLICT, "a delayed opening is none"
        laptop.unit.clock.milliseconds += 1
        assert laptop.code(commands.OPEN_SESSION, *SHARE) == 0

    def test_the_delay_over_the_clocks_wrap(self, laptop: Host) -> None:
        laptop.unit.clock.milliseconds = TICKS_PERIOD - LONGEST_DELAY - 100
        self.attempt(laptop)
        self.assert_delayed(laptop, 200)
        assert laptop.unit.clock.milliseconds > TICKS_PERIOD

    def test_a_full_log_keeps_nobody_out(self, laptop: Host) -> None:
        """There is no compaction before UNLOCK, but with a full log further attempts are still delayed."""
        for _ in range(140):
            self.attempt(laptop)
        assert laptop.firmware.state.log.size - laptop.firmware.state.log.used < 64
        assert laptop.unit.flash.nvm.erases == 0
        self.assert_delayed(laptop, LONGEST_DELAY)
        for restart in (False, True):
            if restart:
                laptop.restart()
            laptop.unit.clock.milliseconds += LONGEST_DELAY
            laptop.open()
            assert laptop.ask(commands.ACKNOWLEDGE, 0, 1, 0) == (2,)
        laptop.begin()
        laptop.prove()
        assert laptop.status()["wrong_attempts"] == 0
