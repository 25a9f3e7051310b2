# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The bench of the fuzz tests detects the faults that it is made for."""

from collections.abc import Callable
from typing import Any

import pytest
from conversation import FIRST, MEMBER, SECOND

from fuzz.bench import PUBLIC, RANDOM, Bench, bound_bench, fuzzed_unit
from ndks_protocol import commands, errors
from ndks_protocol.commands import Command
from ndks_unit import dispatcher
from ndks_unit.flash.records import MESSAGE_COUNTER
from ndks_unit.on_demand.provision import provision
from ndks_unit.randomness import Randomness
from ndks_unit.state import State

Handler = Callable[..., tuple[Any, ...]]


@pytest.fixture
def bench() -> Bench:
    bench = bound_bench()
    bench.open_session()
    return bench


def replace(monkeypatch: pytest.MonkeyPatch, command: Command, handler: Handler) -> None:
    monkeypatch.setitem(dispatcher.HANDLERS, command.code, handler)


def test_an_unknown_exception(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    replace(monkeypatch, commands.NEXT_INDEX, lambda state: 1 // 0)
    with pytest.raises(AssertionError, match="NEXT_INDEX is answered INTERNAL, for ZeroDivisionError"):
        bench.code_of(commands.NEXT_INDEX)


def test_a_refusal_that_changes_flash(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_and_refuse(state: Any, *_: Any) -> tuple[Any, ...]:
        state.log.append(MESSAGE_COUNTER, bytes(12))
        raise errors.UnitError(errors.RANGE)

    replace(monkeypatch, commands.TRUST, write_and_refuse)
    with pytest.raises(AssertionError, match="flash was changed"):
        bench.code_of(commands.TRUST, 3, bytes(16))


def test_a_number_that_is_given_twice(bench: Bench) -> None:
    assert bench.code_of(commands.SEAL_BEGIN, b"token 01", 1, 0, bytes(8)) == 0
    bench.firmware.state.message_counter._next -= 1
    with pytest.raises(AssertionError, match="given to two messages"):
        bench.code_of(commands.SEAL_BEGIN, b"token 02", 1, 0, bytes(8))


def test_a_key_that_is_offered_again(bench: Bench) -> None:
    assert bench.code_of(commands.ACKNOWLEDGE, 0, 5, 0) == 0
    bench.firmware.state.member.exports.next = 5
    with pytest.raises(AssertionError, match="offered again"):
        bench.code_of(commands.NEXT_INDEX)


def test_a_session_for_another_laptop(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = bound_bench()
    bench.open_session(up_to=commands.OPEN_SESSION.code)
    replace(monkeypatch, commands.PROVE, lambda state, proof: ())
    with pytest.raises(AssertionError):
        bench.send(commands.PROVE.code, bytes(16))


def test_a_secret_opened_without_its_key(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    replace(monkeypatch, commands.UNLOCK, lambda state, *_: state.unlock(FIRST.kek) or ())
    with pytest.raises(AssertionError):
        bench.code_of(commands.UNLOCK, SECOND.kek, 0, 0)


def test_a_frame_that_is_accepted_twice(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    payload = bench.secured(commands.STATUS.code, b"")
    assert bench.send(commands.STATUS.code, payload) == 0
    monkeypatch.setattr(bench.firmware.state.session.channel, "open", lambda kind, request_id, view: memoryview(b""))
    with pytest.raises(AssertionError):
        bench.send(commands.STATUS.code, payload)


def test_a_session_that_outlives_a_host_that_left(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.firmware.state, "end_session", lambda: None)
    with pytest.raises(AssertionError):
        bench.leave()


def test_a_session_that_anybody_could_open(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(State, "auth", None)
    with pytest.raises(AssertionError):
        bench.open_session()


def test_a_key_pair_that_is_used_twice(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Randomness, "draw", lambda _: bytes(32))
    bench.open_session()
    with pytest.raises(AssertionError, match="used twice"):
        bench.open_session()


@pytest.fixture
def joining() -> Bench:
    """A blank unit whose second joining key has made the first one void, in a session."""
    bench = Bench(fuzzed_unit(), None)
    for _ in range(2):
        bench.ask(commands.JOINING_KEY)
    bench.open_session()
    return bench


def test_a_package_for_a_void_key(joining: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def accept(state: State, binding: bytes, _: bytes) -> tuple[()]:
        return provision(state, binding, *commands.PROVISION.request.unpack(binding + MEMBER)[1:])

    replace(monkeypatch, commands.PROVISION_SEALED, accept)
    package = joining.package(MEMBER, joining.void_key)
    with pytest.raises(AssertionError, match="for another key is accepted"):
        joining.code_of(commands.PROVISION_SEALED, FIRST.secret, package)


def test_a_package_that_is_refused_without_a_reason(joining: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(state: State, *_: bytes) -> tuple[()]:
        raise errors.UnitError(errors.PACKAGE)

    replace(monkeypatch, commands.PROVISION_SEALED, refuse)
    with pytest.raises(AssertionError, match="for this key is refused"):
        joining.code_of(commands.PROVISION_SEALED, FIRST.secret, joining.package(MEMBER))


def test_a_joining_key_that_outlives_its_use(joining: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining.firmware.state.log, "start_without_secrets", lambda: None)
    with pytest.raises(AssertionError):
        joining.code_of(commands.PROVISION, FIRST.secret, *commands.PROVISION.request.unpack(bytes(32) + MEMBER)[1:])


def test_a_sound_unit_has_none_of_these(bench: Bench) -> None:
    assert bench.code_of(commands.OPEN_SESSION, PUBLIC, RANDOM) == 0
    bench.open_session()
    assert bench.unlocked


def test_a_sound_unit_joins(joining: Bench) -> None:
    assert joining.code_of(commands.PROVISION_SEALED, FIRST.secret, joining.package(MEMBER)) == 0
    joining.open_session()
    assert joining.unlocked
