# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An agent's loop with packets that it should not get, carriers that take nothing, and units that are not its own."""

import contextlib
import dataclasses
import functools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from carriers.inbox import PATIENCE, wait_until
from support.agents import administrator, unit_of

from agent.running import Plugged, Running, generation_of, running, sealing_waits_for_a_request
from agent.wire import Wire
from ndks.agent import Agent
from ndks.agent.running.inputs import Asked, Inputs, Left
from ndks.carriers.carrier import Received
from ndks.exceptions import FileError, UsageError


@contextlib.contextmanager
def one(tmp_path: Path) -> Iterator[tuple[Running, Wire]]:
    """Run an agent in a generation."""
    admin, wire = administrator(), Wire()
    lane = admin.admit("0000000000ABC000")
    bundle = admin.issue()
    with running(Plugged(unit_of(admin, lane)), admin.keys.public, [wire], tmp_path) as agent:
        assert wire.deliver(bundle.content).wait(PATIENCE)
        wait_until(lambda: generation_of(agent) == bundle.g)
        yield agent, wire


@pytest.mark.parametrize("error", [IndexError("a fault"), UsageError("a fault")])
def test_a_packet_that_always_fails_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    receive = Agent.receive

    def fail(agent: Agent, packet: bytes) -> object:
        if packet == b"poison":
            raise error
        return receive(agent, packet)

    monkeypatch.setattr(Agent, "receive", fail)
    monkeypatch.setattr("ndks.agent.running.loop._PAUSES", (0.01,))
    with one(tmp_path) as (_, wire):
        assert wire.deliver(b"poison").wait(PATIENCE)
        assert wire.deliver(b"more").wait(PATIENCE)


def test_a_full_disk_gives_no_packet_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full, tried = [True], [0]
    receive = Agent.receive

    def fail(agent: Agent, packet: bytes) -> object:
        tried[0] += 1
        if full[0]:
            raise FileError("no space left")
        return receive(agent, packet)

    with one(tmp_path) as (_, wire), monkeypatch.context() as patch:
        patch.setattr(Agent, "receive", fail)
        patch.setattr("ndks.agent.running.loop._PAUSES", (0.01,))
        taken = wire.deliver(b"packet")
        wait_until(lambda: tried[0] > 20)
        assert not taken.is_set()
        full[0] = False
        assert taken.wait(PATIENCE)


def test_a_capsule_larger_than_any_message_is_not_opened(tmp_path: Path) -> None:
    """A stranger may send any capsule of the network again, also one that a unit would decrypt for hours."""
    opened: list[int] = []
    with one(tmp_path) as (agent, wire):
        unit = agent.plugged.unit
        original = unit.open

        def noted(capsule: bytes, **flags: bool) -> object:
            opened.append(len(capsule))
            return original(capsule, **flags)

        unit.open = noted  # pyright: ignore
        assert wire.deliver(b"\1" + bytes(100_000)).wait(PATIENCE)
        assert wire.deliver(b"\1" + bytes(66_500)).wait(PATIENCE)
        assert opened == [66_501]


def test_carriers_wait_while_many_bytes_do() -> None:
    inputs = Inputs()
    put = [0]

    def fill() -> None:
        for _ in range(100):
            inputs.receive(Received(bytes(1 << 20), lambda: None, "fake:"))
            put[0] += 1

    thread = threading.Thread(target=fill, daemon=True)
    thread.start()
    wait_until(lambda: put[0] >= 30)
    thread.join(0.2)
    assert put[0] < 40
    for _ in range(100):
        assert isinstance(inputs.take(PATIENCE, packets=True), Received)
    thread.join(PATIENCE)
    assert put[0] == 100


def test_no_message_is_sealed_that_no_carrier_takes(tmp_path: Path) -> None:
    """Sealed ones are kept until 400 more are; all others wait as texts, however long no carrier is there."""
    with one(tmp_path) as (agent, wire), agent.client() as client:
        wire.has_room = False
        for number in range(100):
            assert client.ask("send", data="AAAA")["waits"], number
        assert client.ask("status")["outbox"] == {"last": 100, "waits": 100, "kept": 0}
        wire.has_room = True
        wait_until(lambda: client.ask("status")["outbox"]["waits"] < 100)
        wait_until(lambda: client.ask("status")["outbox"] == {"last": 100, "waits": 0, "kept": 100})


def test_requests_are_answered_while_many_messages_are_sealed(tmp_path: Path) -> None:
    with one(tmp_path) as (agent, wire), agent.client() as client:
        wire.has_room = False
        for _ in range(100):
            client.ask("send", data="AAAA")
        unit = agent.plugged.unit
        sealing_waits_for_a_request(agent)
        seal, sealed = unit.seal, [0]
        ask, sealed_before_the_answer = agent.loop.inputs.ask, list[int]()

        def counted(*values: object) -> object:
            sealed[0] += 1
            return functools.partial(seal, *values)()

        def noted(asked: Asked | Left) -> None:
            if isinstance(asked, Asked):
                answer = asked.answered

                def answered(values: dict[str, Any] | Exception) -> None:
                    sealed_before_the_answer.append(sealed[0])
                    answer(values)

                asked = dataclasses.replace(asked, answered=answered)
            ask(asked)

        unit.seal = counted  # pyright: ignore
        agent.loop.inputs.ask = noted
        wire.has_room = True
        client.ask("send", data="AAAA")
        assert sealed_before_the_answer[0] < 60
