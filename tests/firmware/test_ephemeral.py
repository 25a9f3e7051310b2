# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The key pair that a unit keeps ready for its next session: made while it is idle, used once, then overwritten."""

import hashlib
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hosts.memory import Host, before_each, complete_pair, new_flash, new_unit
from hosts.sessions import SHARE, ReferenceSession
from x25519_reference import public_key

from firmware.powered import SteadyEntropy
from ndks_emulator import MemoryUnit
from ndks_protocol import commands, errors, framing
from ndks_unit import on_demand
from ndks_unit.ephemeral import EphemeralPair

HELLO = framing.encode(commands.HELLO.code, 1, b"")
ROUNDS = 64  # of the computation of a public key, one per step
QUIET_MS = 31
CURVE = tuple(f"ndks_protocol.{name}" for name in ("curve25519", "public_key", "x25519"))


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what other tests have loaded: a unit keeps that."""
    for name in CURVE:
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.delattr(name, raising=False)


@pytest.fixture(scope="module")
def bound() -> MemoryUnit:
    unit = new_unit(new_flash(b"unit\1\2\3\4"), SteadyEntropy())
    Host(unit).provision()
    return unit


@pytest.fixture
def host(bound: MemoryUnit) -> Host:
    """The host of a unit that has just started, and chooses the same keys in every test."""
    host = Host(bound.clone(), opens=False)
    host.restart()
    return host


def pair_of(host: Host) -> EphemeralPair:
    return host.firmware.state.session.ephemeral


def spied(host: Host, steps: list[int]) -> Callable[[], bool]:
    """Note how many rounds each step of the pair that is being made has."""
    making = pair_of(host).making
    assert making
    step = making.step

    def note(rounds: int = 1) -> bool:
        steps.append(rounds)
        return step(rounds)

    making.step = note  # type: ignore[method-assign]
    return lambda: pair_of(host).is_ready


def test_it_is_made_while_the_unit_is_idle_a_step_in_each_turn(host: Host) -> None:
    steps: list[int] = []
    is_ready = spied(host, steps)
    turns = 0
    while not is_ready():
        before = len(steps)
        host.unit.poll()
        assert len(steps) - before in (0, 1), "or it collects garbage"
        turns += 1
    assert set(steps) == {1}
    assert ROUNDS < len(steps) < turns < 2 * ROUNDS
    complete_pair(host.unit)
    assert not set(CURVE) & set(sys.modules), "and its modules have left the heap"


def test_garbage_is_collected_between_the_steps(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    collected: list[int] = []
    monkeypatch.setattr(host.unit.board, "tidy", lambda: collected.append(len(steps)))
    is_ready = spied(host, steps)
    while not is_ready():
        host.unit.poll()
    host.unit.poll()
    assert max(later - before for before, later in zip([0, *collected], collected, strict=False)) == 4
    assert collected[-1] == len(steps)
    count = len(collected)
    for _ in range(10):
        host.unit.poll()
    assert len(collected) == count, "with a pair ready there is nothing to do"


def test_a_request_is_answered_between_two_steps(host: Host) -> None:
    """The unit then waits until the line is quiet."""
    steps: list[int] = []
    spied(host, steps)
    for turn in range(3):
        host.unit.poll()
        before = len(steps)
        host.unit.write(HELLO)
        assert host.unit.read()
        assert len(steps) == before
        for _ in range(3):
            host.unit.poll()
        assert len(steps) == before, "the next request may follow at once"
        host.unit.clock.milliseconds += QUIET_MS
        host.unit.poll()
        assert len(steps) == before, "first it collects garbage"
        host.unit.poll()
        assert len(steps) == before + 1, turn


@pytest.mark.parametrize("turns", [*range(0, 84, 3), 200])
def test_however_far_it_is_the_session_is_the_same(host: Host, turns: int) -> None:
    expected = public_key(bytes(pair_of(host).private))
    for _ in range(turns):
        host.unit.poll()
    unit_proof = host.begin()
    assert host.said.unit_public == expected
    assert ReferenceSession(bytes(range(64, 96)), host.said).unit_proof == unit_proof
    host.prove()


def test_with_a_pair_ready_a_session_computes_no_public_key(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """And with none it does; the next pair is chosen when the session ends."""
    loaded: list[str] = []
    load = on_demand.load
    monkeypatch.setattr(on_demand, "load", lambda *names: (loaded.extend(names), load(*names))[1])
    complete_pair(host.unit)
    host.begin()
    assert set(loaded) & set(CURVE) == {CURVE[0], CURVE[2]}
    host.prove()
    host.unlock()
    assert host.ask(commands.NEXT_INDEX) == (0, 1)
    assert pair_of(host).making is None, "a session needs the heap for itself"
    loaded.clear()
    host.ask(commands.CLOSE, 0)
    assert loaded == [CURVE[0], CURVE[1]]


@pytest.mark.parametrize("end", ["close", "hello", "disconnect", "restart", "zeroize"])
def test_the_next_one_is_chosen_when_a_session_ends(host: Host, end: str) -> None:
    host.open()
    assert pair_of(host).private == bytes(32)
    if end == "close":
        host.ask(commands.CLOSE, 0)
    elif end == "zeroize":  # after which there is none until the next greeting
        host.ask(commands.ZEROIZE, commands.CONFIRMATION, host.unit.board.uid)
        assert pair_of(host).private == bytes(32)
        host.hello()
    else:
        {"hello": host.hello, "disconnect": host.disconnect, "restart": host.restart}[end]()
    private = bytes(pair_of(host).private)
    assert private != bytes(32)
    host.hello()
    assert pair_of(host).private == private, "it has one"


def test_it_is_used_once(host: Host) -> None:
    publics: list[bytes] = []
    for number in range(8):
        if number % 2:
            complete_pair(host.unit)
        host.begin()
        publics.append(host.said.unit_public)
    assert len(set(publics)) == 8


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


def test_the_keys_are_what_the_protocol_says() -> None:
    """Numbered values, which the entropy is only a part of: PROTOCOL.md section 6."""
    entropy, uid = bytes(range(32)), b"unit\5\6\7\7"
    host = Host(new_unit(new_flash(uid), lambda size: entropy[:size]))

    def value(number: int, starts: bytes = b"") -> bytes:
        return hashlib.sha256(entropy + uid + starts + number.to_bytes(4)).digest()

    host.begin(None)
    assert host.said.unit_public == public_key(value(1))
    assert host.said.unit_random == value(2)[:16]
    assert host.ask(commands.JOINING_KEY) == (public_key(value(3)),)
    host.provision()
    assert (host.said.unit_random, host.said.unit_public) == (value(5)[:16], public_key(value(4)))
    host.restart()
    host.begin()
    assert host.said.unit_public == public_key(value(1, bytes(7) + b"\1"))
    host.ask(commands.ZEROIZE, commands.CONFIRMATION, uid)
    host.begin(None)
    assert (host.said.unit_public, host.said.unit_random) == (public_key(value(3)), value(4)[:16])
