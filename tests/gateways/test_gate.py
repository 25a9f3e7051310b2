# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The unit of a gateway, through real services: keys, doors, generations; units and services that come and go."""

import asyncio
import contextlib
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.emulate_process import PATIENCE
from support.serve_process import served

from ndks.exceptions import DeviceError, NoUnit, SeveralUnits
from ndks.line.services import SOCKETS
from ndks_gateways.held import Held, UnitAway, WeakSuite
from ndks_gateways.key_unit import KeyUnit
from ndks_gateways.running.gate import Gate
from ndks_gateways.tunnel.errors import Reflected
from ndks_gateways.tunnel.steps import Behind
from ndks_gateways.unit_socket import socket_of

from .members import Founded, founded

NAME = "web"


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Founded]:
    with tempfile.TemporaryDirectory(prefix="ndks-") as short:  # paths of sockets
        monkeypatch.setenv(SOCKETS, short)
        with founded(tmp_path) as network:
            yield network


@contextlib.asynccontextmanager
async def gates(*units: str) -> AsyncIterator[list[Gate]]:
    """Run a gate for each unit, all of which are there when the block begins."""
    made = [Gate(unit, NAME) for unit in units]
    tasks = [asyncio.create_task(gate.run()) for gate in made]
    try:
        for gate in made:
            await asyncio.wait_for(gate.wait_present(), PATIENCE)
        yield made
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def with_gates(network: Founded, use: Callable[[Gate, Gate], Awaitable[None]]) -> None:
    a, b = network.members

    async def run() -> None:
        async with gates(a.gate, b.gate) as (one, other):
            await asyncio.wait_for(use(one, other), 3 * PATIENCE)

    asyncio.run(run())


async def until(gate: Gate, holds: Callable[[], bool]) -> None:
    known = gate.changes
    while not holds():
        known = await asyncio.wait_for(gate.wait_change(known), PATIENCE)


def test_both_ends_have_the_same_keys(network: Founded) -> None:
    async def use(a: Gate, b: Gate) -> None:
        assert (a.lane, b.lane) == tuple(member.lane for member in network.members)
        assert (a.serial_number, a.generation) == (network.members[0].serial_number, b.generation)
        seen = set[bytes]()
        for _ in range(5):
            sealed = await a.seal()
            opened = await b.open(sealed.header)
            assert (opened.lane, opened.tag_key, opened.aes_key) == (a.lane, sealed.tag_key, sealed.aes_key)
            again = await b.open(sealed.header)  # nothing is accepted
            assert again == opened
            seen.add(sealed.header)
        assert len(seen) == 5

    with_gates(network, use)


def test_refusals_by_their_names(network: Founded) -> None:
    async def use(a: Gate, _: Gate) -> None:
        with pytest.raises(Reflected):
            await a.open((await a.seal()).header)
        with pytest.raises(Behind) as behind:
            await a.open(b"\1" + bytes(36))
        assert behind.value.generation == a.generation
        with pytest.raises(DeviceError):
            await a.open(b"\2" + bytes(36))

    with_gates(network, use)


def test_doors_of_kept_epochs(network: Founded) -> None:
    async def use(a: Gate, b: Gate) -> None:
        first = a.doors()
        assert len(first) == 1
        assert first == b.doors()
        epoch = await asyncio.to_thread(network.members[0].renew)
        await until(a, lambda: a.epoch == epoch)
        assert a.doors()[1:] == first
        assert b.doors() == first  # its unit has not heard of it yet
        keys = await a.seal()  # of the new epoch: what was sealed ahead is dropped
        assert (await b.open(keys.header)).aes_key == keys.aes_key
        async with gates(network.members[0].gate) as (late,):
            assert late.doors() == a.doors()

    with_gates(network, use)


def test_a_generation_without_a_revocation_keeps_doors(network: Founded) -> None:
    async def use(a: Gate, b: Gate) -> None:
        before = a.doors()
        network.administrator.admit("0000000000ABCDEF")
        bundle = network.administrator.issue()
        await asyncio.to_thread(network.members[0].enter, bundle)
        await until(a, lambda: a.generation == bundle.g)
        assert a.doors()[1:] == before
        assert len(a.doors()) == 2
        assert (await a.open((await b.seal()).header)).lane == b.lane
        with pytest.raises(Behind) as behind:
            await b.open((await a.seal()).header)
        assert behind.value.generation == b.generation < bundle.g

    with_gates(network, use)


def test_a_revocation_closes_the_doors_of_before(network: Founded) -> None:
    async def use(a: Gate, b: Gate) -> None:
        before = a.doors()
        network.administrator.revoke([network.members[1].lane])
        bundle = network.administrator.issue()
        await asyncio.to_thread(network.members[0].enter, bundle)
        await until(a, lambda: a.generation == bundle.g)
        assert len(a.doors()) == 1
        assert not set(a.doors()) & set(before)
        header = (await b.seal()).header
        with pytest.raises(DeviceError) as refused:
            await a.open(header)
        assert refused.value.code == "REVOKED"

    with_gates(network, use)


def test_a_unit_that_comes_and_goes(network: Founded) -> None:
    async def use(a: Gate, b: Gate) -> None:
        control = network.members[0].control
        for _ in range(3):
            control.do("cable out")
            await until(a, lambda: not a.is_present)
            assert isinstance(a.away, NoUnit)
            with pytest.raises(UnitAway):
                await a.seal()
            control.do("cable in")
            await until(a, lambda: a.is_present)
            sealed = await a.seal()
            assert (await b.open(sealed.header)).aes_key == sealed.aes_key

    with_gates(network, use)


def test_a_service_that_is_killed(network: Founded) -> None:
    async def use(a: Gate, b: Gate) -> None:
        member = network.members[0]
        header = (await a.seal()).header
        for _ in range(3):
            await asyncio.to_thread(member.kill_service)
            await until(a, lambda: not a.is_present)
            with pytest.raises(UnitAway):
                await a.seal()
            await asyncio.to_thread(member.serve)
            await until(a, lambda: a.is_present)
            sealed = await a.seal()
            assert sealed.header != header
            assert (await b.open(sealed.header)).aes_key == sealed.aes_key

    with_gates(network, use)


def test_a_service_that_starts_later(network: Founded) -> None:
    member = network.members[0]
    port = member.gate
    member.kill_service()

    async def run() -> None:
        gate = Gate(port, NAME)
        task = asyncio.create_task(gate.run())
        await until(gate, lambda: "no service" in str(gate.away))
        await asyncio.to_thread(member.serve)
        await asyncio.wait_for(gate.wait_present(), PATIENCE)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def test_a_handshake_that_is_given_up_leaves_the_gate_in_order(network: Founded) -> None:
    async def use(a: Gate, b: Gate) -> None:
        for _ in range(5):
            task = asyncio.create_task(a.seal())
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        sealed = await a.seal()
        assert (await b.open(sealed.header)).aes_key == sealed.aes_key

    with_gates(network, use)


class PaperUnit:
    """A unit whose network is of suite paper."""

    async def status(self) -> SimpleNamespace:
        return SimpleNamespace(suite="paper", epoch=0, lane=1)

    unlock = status


@pytest.mark.parametrize("made", [Gate(None, NAME), KeyUnit(None)], ids=["tunnel", "serve and psk"])
def test_a_network_of_suite_paper_is_refused(made: Held) -> None:
    said = SimpleNamespace(epoch=0, revoked=0, beacon_age=None)
    with pytest.raises(WeakSuite):
        asyncio.run(made._learn(PaperUnit(), said))


def test_which_socket(network: Founded) -> None:
    one, other = network.members
    for member in (one, other):
        for name in (member.serial_number, member.serial_number.lower(), member.port):
            assert socket_of(name) == member.gate
    with pytest.raises(SeveralUnits) as several:
        socket_of(None)
    assert one.serial_number in str(several.value)
    assert other.service
    assert other.service.end() == 0
    assert socket_of(None) == one.gate
    with served(other.port, "--timeout", "2") as killed:
        assert killed.end(signal.SIGKILL) < 0
    assert killed.path("gate").is_socket()  # nobody listens there
    assert socket_of(None) == one.gate
    with pytest.raises(NoUnit):
        socket_of("0000000000000000")


def test_secrets_are_not_shown(network: Founded) -> None:
    async def use(a: Gate, _: Gate) -> None:
        sealed = await a.seal()
        for secret in (sealed.tag_key, sealed.aes_key, a.doors()[0].key):
            assert repr(secret)[2:-1] not in f"{sealed!r} {a.doors()!r}"

    with_gates(network, use)
