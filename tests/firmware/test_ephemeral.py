# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The key pair that a unit keeps ready for its next session: made while it is idle, used once."""

import hashlib
import sys
from collections.abc import Callable

import pytest
from hosts.memory import Host, complete_pair, new_flash, new_unit
from hosts.sessions import ReferenceSession
from x25519_reference import public_key

from firmware import ephemeral
from firmware.ephemeral import CURVE, HELLO, QUIET_MS, ROUNDS, pair_of
from ndks_protocol import commands
from ndks_unit import on_demand

nothing_loaded = ephemeral.nothing_loaded
bound = ephemeral.bound
host = ephemeral.host


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
