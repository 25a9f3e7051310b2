# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Whoever is no gateway of this tunnel is closed, at no cost of the unit; others are told why at their own end only."""

import asyncio
import contextlib
import itertools
import os
import random
import socket
import sys
import traceback
from collections.abc import Callable

import pytest

from gateways.connections import exchange
from gateways.ends import HOST, FakeGate, FakeStore, Network, Side, World, noise, run, until, world
from ndks_gateways.running import accepting, connecting, greeting, listening
from ndks_gateways.running.greeting import Greeting
from ndks_gateways.running.settings import Address, Settings
from ndks_gateways.tunnel.steps import MessageKeys


async def stranger(made: World, data: bytes) -> bytes:
    """Send something to B, and return what it says until it closes."""
    reader, writer = await asyncio.open_connection(HOST, made.b.settings.outer.port)
    said = b""
    with contextlib.suppress(OSError):
        writer.write(data)
        said = await reader.read(-1)
    writer.close()
    return said


def test_garbage_is_closed_and_asks_no_unit():
    async def work() -> None:
        async with world() as made:
            await made.a.linked()
            before = made.b.gate.opened, made.b.gate.sealed
            chance = random.Random(5)
            for size in (1, 20, 37, 46, 130, 4096, 1_000_000):
                for kind in (b"", b"\x01", b"\x02"):
                    said = await stranger(made, (kind + chance.randbytes(size))[: size or 1] + bytes(200))
                    assert len(said) in (0, 21)  # hello at most
            assert (made.b.gate.opened, made.b.gate.sealed) == before
            assert made.b.end.problem == ""
            assert await exchange(made, noise(100_000)) == noise(100_000)

    run(work)


def test_strangers_before_the_unit_was_there_leave_nothing_behind():
    """Each is refused with the same reason; an error that is raised again and again would keep all of them."""

    async def work() -> None:
        async with world() as made:
            made.b.gate.unplug()
            made.b.gate.lane = None
            for _ in range(20):
                assert await stranger(made, b"") == b""
            assert made.b.end.problem
            away = made.b.gate.away
            assert away
            assert len([*traceback.walk_tb(away.__traceback__)]) < 10

    run(work)


def test_silent_strangers_hold_up_nobody():
    async def work() -> None:
        async with world() as made:
            made.b.end._linking.most_strangers = 20
            await made.a.linked()
            silent = [await asyncio.open_connection(HOST, made.b.settings.outer.port) for _ in range(60)]
            await until(lambda: len(made.b.end._linking._strangers) == 20)
            made.proxy.cut()
            assert await exchange(made, noise(100_000)) == noise(100_000)
            for _, writer in silent:
                writer.close()

    run(work)


class Flood:
    """Connections from one address, or from many, each of which says nothing and stays."""

    def __init__(self, made: World, *sources: str) -> None:
        self.count = 0
        self._held: list[asyncio.StreamWriter] = []
        self._where, self._sources = made.b.settings.outer, itertools.cycle(sources)

    async def go_on(self) -> None:
        try:
            while True:
                _, writer = await asyncio.open_connection(*self._where, local_addr=(next(self._sources), 0))
                self._held.append(writer)
                self.count += 1
        finally:
            for writer in self._held:
                writer.transport.abort()


async def knock_after(made: World, flood: Flood, strangers: int, enough: Callable[[], object]) -> None:
    """Let A make a link while a flood goes on, with a unit so slow that so many strangers come before A can knock."""
    seal = made.a.gate.seal

    async def seal_slowly() -> MessageKeys:
        begun = flood.count
        await until(lambda: flood.count > begun + strangers)
        return await seal()

    made.a.gate.seal = seal_slowly
    flooding = asyncio.create_task(flood.go_on())
    made.a.end._linking.wipe()
    made.proxy.cut()
    await until(enough)
    flooding.cancel()
    await asyncio.wait({flooding})


def test_who_floods_takes_no_place_of_another_address():
    """Three times as many strangers come as there are places; A's first attempt comes through."""

    async def work() -> None:
        async with world() as made:
            made.b.end._linking.most_strangers = 20
            await made.a.linked()
            made.proxy.source = ("127.0.0.3", 0)
            await knock_after(made, Flood(made, "127.0.0.2"), 60, lambda: made.a.tally.full == 2)
            assert not made.a.tally.failed
            assert len(made.b.end._linking._strangers) <= 20

    run(work)


@pytest.mark.parametrize("sources", [["127.0.0.3"], [f"127.0.{site}.1" for site in range(1, 200)]])
def test_who_floods_from_everywhere_does_not_keep_a_gateway_out(monkeypatch: pytest.MonkeyPatch, sources: list[str]):
    """As many strangers come as there are places, from A's own address, or from others: some attempt comes through."""

    async def work() -> None:
        monkeypatch.setattr(connecting, "_MOST", 0.1)
        async with world() as made:
            made.b.end._linking.most_strangers = 50
            await made.a.linked()
            made.proxy.source = ("127.0.0.3", 0)
            await knock_after(made, Flood(made, *sources), 50, lambda: made.a.tally.full == 2)

    run(work)


def test_more_strangers_than_there_are_places_hold_on():
    """1,100 call at the same moment, from as many addresses: a few are taken at a time, and A finds a place."""

    async def work() -> None:
        async with world(through_proxy=False) as made:
            await made.a.linked()
            accepting = made.b.end._linking
            began, most = accepting._began, accepting.most_strangers
            taken, in_one_turn = 0, set[int]()
            assert most == 1024

            def counted(greeting: Greeting) -> None:
                nonlocal taken
                taken += 1
                began(greeting)

            def tick() -> None:
                nonlocal taken
                in_one_turn.add(taken)
                taken = 0
                asyncio.get_running_loop().call_soon(tick)

            accepting._began = counted
            silent = [called(made, f"127.1.{site >> 8}.{site & 255 or 1}") for site in range(1, 1101)]
            tick()
            await until(lambda: len(accepting._strangers) == most)
            made.a.end._linking.wipe()
            made.a.end._linking.renew()
            await until(lambda: made.a.tally.full == 2)
            assert len(accepting._strangers) > most - 100
            assert 0 < max(in_one_turn) < 40
            for each in silent:
                each.close()

    run(work)


def called(made: World, source: str) -> socket.socket:
    """Begin to call B, without waiting for it."""
    calling = socket.socket()
    calling.setblocking(False)
    calling.bind((source, 0))
    calling.connect_ex(made.b.settings.outer)
    return calling


@pytest.mark.parametrize(("files", "strangers"), [(256, 64), (1024, 256), (4096, 1024), (sys.maxsize, 1024)])
def test_strangers_leave_files_for_the_link(files: int, strangers: int):
    assert listening.most_strangers(files) == strangers
    assert strangers + listening.most_connections(files, 0) <= files * 3 // 4 or files > 4000


@pytest.mark.parametrize(
    ("host", "other", "is_one"),
    [
        ("127.0.0.2", "127.0.0.3", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "::", True),  # gone before it was seen
    ],
)
def test_what_is_one_site(host: str, other: str, is_one: bool):
    assert (accepting._site(host) == accepting._site(other)) == is_one


def test_a_handshake_has_an_end(monkeypatch: pytest.MonkeyPatch):
    async def work() -> None:
        monkeypatch.setattr(greeting, "PATIENCE", 0.2)
        async with world() as made:
            assert len(await stranger(made, b"")) == 21
            await until(lambda: not made.b.end._linking._strangers)

    run(work)


async def outsider(made: World, name: str = "office", network: Network | None = None, lane: int = 3) -> Side:
    """Begin another A that connects to B."""
    settings = Settings(name, True, Address(HOST, 0), made.b.settings.outer)
    side = Side(settings, FakeGate(network or made.network, lane, name), FakeStore())
    await side.begin()
    return side


def test_another_name_or_network_finds_no_door():
    async def work() -> None:
        async with world() as made:
            await made.a.linked()
            before = made.b.gate.opened
            for other in (await outsider(made, "home"), await outsider(made, network=Network())):
                await until(lambda one=other: one.end.problem_code == "LINK_CLOSED")
                await other.kill()
            assert made.b.gate.opened == before
            assert made.b.tally.failed["NO_DOOR"] >= 2

    run(work)


def test_a_member_that_plays_the_other_gateway_is_refused():
    """It has a unit of the network, even the very lane, and not the static key that was pinned."""

    async def work() -> None:
        async with world() as made:
            await made.a.linked()
            for lane, code in (3, "OTHER_LANE"), (1, "PINNED_KEY"):
                other = await outsider(made, lane=lane)
                await until(lambda expected=code: made.b.end.problem_code == expected)
                assert not made.b.end.is_unproven  # he knew the door
                assert other.end.link is None or not other.end._switch.may_send
                await other.kill()
            assert await exchange(made, noise(100_000)) == noise(100_000)

    run(work)


def test_a_member_that_answers_in_place_of_the_other_gateway_is_refused():
    async def work() -> None:
        async with world() as made:
            await made.a.linked()
            await made.b.kill()
            impostor = Side(made.b.settings, FakeGate(made.network, 2), FakeStore())
            await impostor.begin()
            made.a.end._linking._resumable = None
            await until(lambda: made.a.end.problem_code == "PINNED_KEY")
            assert not made.a.end.is_unproven  # only a member gets so far
            assert made.a.end.link is None
            await impostor.kill()
            await made.b.begin()
            await made.a.linked()

    run(work)


def test_a_unit_that_is_away_is_said_and_waited_for():
    async def work() -> None:
        async with world() as made:
            await made.a.linked()
            await made.b.kill()
            made.b.gate.unplug()
            await made.b.begin()
            await until(lambda: made.b.end.problem_code == "UNIT_AWAY")
            made.b.gate.plug()
            await made.a.linked()
            assert made.b.end.problem == ""

    run(work)


def test_keys_that_diverge_are_said():
    async def work() -> None:
        async with world() as made:
            await made.a.kill()
            made.a.store.forget()
            made.b.store.forget()
            await made.b.kill()
            other = Network(secret=made.network.secret, made=made.network.made)
            made.b.gate.network = other
            doors = made.b.gate.doors()
            other.secret = os.urandom(32)
            made.b.gate.doors = lambda: doors
            await made.b.begin()
            await made.a.begin()
            await until(lambda: made.b.end.problem_code == "DIVERGED")

    run(work)
