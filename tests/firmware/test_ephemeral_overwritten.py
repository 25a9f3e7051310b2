# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The key pair for the next session is overwritten after its use and instead of it, and when memory fails."""

from typing import Any

import pytest
from hosts.memory import Host, before_each, complete_pair, new_unit
from hosts.sessions import SHARE
from x25519_reference import public_key

from firmware import ephemeral
from firmware.ephemeral import QUIET_MS, ROUNDS, pair_of
from ndks_emulator import MemoryUnit
from ndks_protocol import commands, errors, framing
from ndks_unit import on_demand

nothing_loaded = ephemeral.nothing_loaded
bound = ephemeral.bound
host = ephemeral.host


@pytest.mark.parametrize("ready", [False, True], ids=["not ready", "ready"])
class TestOverwriting:
    def held(self, host: Host, *, ready: bool) -> tuple[bytes, list[bytearray]]:
        """Return the private key, and the buffers that have it or its digits."""
        if ready:
            complete_pair(host.unit)
        pair = pair_of(host)
        return bytes(pair.private), [pair.private, *([pair.making._scalar] if pair.making else [])]

    def test_after_its_use(self, host: Host, ready: bool) -> None:
        private, buffers = self.held(host, ready=ready)
        host.begin()
        assert host.said.unit_public == public_key(private)
        assert not any(any(buffer) for buffer in (*buffers, pair_of(host).public))

    def test_after_a_public_key_of_low_order(self, host: Host, ready: bool) -> None:
        private, buffers = self.held(host, ready=ready)
        assert host.code(commands.OPEN_SESSION, bytes(32), bytes(16)) == errors.PUBLIC_KEY
        assert not any(any(buffer) for buffer in buffers)
        host.begin()
        assert host.said.unit_public != public_key(private)

    def test_when_the_unit_erases_itself(self, host: Host, ready: bool) -> None:
        _, buffers = self.held(host, ready=ready)
        host.unit.case.open()
        host.unit.poll()
        assert not any(any(buffer) for buffer in buffers)
        assert pair_of(host).making is None

    def test_when_a_blank_unit_is_opened(self, bound: MemoryUnit, ready: bool) -> None:
        host = Host(new_unit())
        host.open_anonymously()
        channel = host.firmware.state.session.channel
        assert channel
        host.firmware.state.session.ephemeral.prepare()
        _, buffers = self.held(host, ready=ready)
        host.unit.case.open()
        host.unit.poll()
        assert not any(any(buffer) for buffer in (*buffers, channel._sending._key, channel._receiving._key))
        assert host.firmware.state.session.channel is None
        assert pair_of(host).making is None

    def test_when_it_is_erased(self, host: Host, ready: bool) -> None:
        _, buffers = self.held(host, ready=ready)
        host.ask(commands.ZEROIZE, commands.CONFIRMATION, host.unit.board.uid)
        assert not any(any(buffer) for buffer in buffers)
        assert pair_of(host).making is None
        host.open_anonymously()

    def test_when_it_becomes_a_joining_key(self, bound: MemoryUnit, ready: bool) -> None:
        host = Host(new_unit())
        private, buffers = self.held(host, ready=ready)
        assert host.ask(commands.JOINING_KEY) == (public_key(private),)
        assert private not in (bytes(buffer) for buffer in buffers)
        host.begin(None)
        assert host.said.unit_public != public_key(private), "no session is opened with a joining key"


class TestFailures:
    """Without memory the next use makes the pair; it never is a wrong one."""

    def test_no_memory_at_the_start(self, bound: MemoryUnit, monkeypatch: pytest.MonkeyPatch) -> None:
        host = Host(bound.clone(), opens=False)
        with monkeypatch.context() as patch:
            patch.setattr(on_demand, "load", fail)
            host.restart()
            for _ in range(5):
                host.unit.poll()
            host.hello()
            assert host.code(commands.OPEN_SESSION, *SHARE) == errors.INTERNAL
            assert pair_of(host).private == bytes(32)
        host.open()

    @pytest.mark.parametrize("when", ["before the step", "after the step"])
    def test_no_memory_in_any_step(self, host: Host, when: str) -> None:
        """A step that failed may have been done in part."""
        for failing in (*range(1, ROUNDS, 9), ROUNDS, ROUNDS + 1, ROUNDS + 2):
            complete = list[int]()
            making = pair_of(host).making
            assert making
            step = making.step

            def fail_once(
                rounds: int = 1, step: Any = step, complete: list[int] = complete, failing: int = failing
            ) -> bool:
                complete.append(rounds)
                if len(complete) == failing:
                    if when == "after the step":
                        step(rounds)
                    raise MemoryError
                return step(rounds)

            making.step = fail_once  # type: ignore[method-assign]
            for _ in range(200):
                host.unit.poll()
            assert pair_of(host).making is None
            assert pair_of(host).private == bytes(32)
            host.open()
            host.disconnect()
            host.unit.clock.milliseconds += QUIET_MS
            host.unit.poll()

    def test_no_memory_while_a_request_waits(self, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
        """At any use of the watchdog, of SHA-256 or of entropy."""
        uses = [0]
        fails_at = [0]

        def use() -> None:
            uses[0] += 1
            if uses[0] == fails_at[0]:
                raise MemoryError

        before_each(host.unit.board, ("sha256", "feed_watchdog", "entropy"), use)
        opening = framing.encode(commands.OPEN_SESSION.code, 7, commands.OPEN_SESSION.request.pack(*SHARE))
        host.hello()
        uses[0] = 0
        host.firmware._take(opening, len(opening))
        for failing in range(1, uses[0] + 1, 3):
            host.hello()
            uses[0], fails_at[0] = 0, failing
            try:
                host.firmware._take(opening, len(opening))
            finally:
                fails_at[0] = 0
            (frame,) = (event for event in framing.Decoder().feed(host.unit.read()))
            assert isinstance(frame, framing.Frame)
            assert frame.payload[:2] == errors.INTERNAL.to_bytes(2) or frame.kind == commands.OPEN_SESSION.code | 0x80
            host.open()

    def test_the_watchdog_is_fed_while_a_request_waits(self, host: Host) -> None:
        """At most 16 rounds lie between two feeds: 50 ms on a board."""
        fed: list[str] = []
        before_each(host.unit.board, ("feed_watchdog",), lambda: fed.append("fed"))
        host.hello()
        fed.clear()
        host.ask(commands.OPEN_SESSION, *SHARE)
        assert len(fed) >= 64 // 16 + 255 // 16


def fail(*names: str) -> Any:
    raise MemoryError(names)
