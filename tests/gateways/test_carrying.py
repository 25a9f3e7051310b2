# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packets of agents through a tunnel, by the carrier that agents use; news for a gateway that is behind."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from carriers.inbox import Inbox

from gateways.ends import Side, noise, run, until, world
from ndks.carriers.opening import open_carrier
from ndks.carriers.tunnel import HEAD, TunnelCarrier, packed
from ndks.carriers.tunnel_sockets import LISTEN
from ndks.exceptions import UsageError


@pytest.fixture
def homes() -> Iterator[list[Path]]:
    """Two short directories: a path of a socket is short."""
    made = [Path(tempfile.mkdtemp(prefix="ndks-")) for _ in range(2)]
    yield made
    for each in made:
        shutil.rmtree(each)


@contextlib.asynccontextmanager
async def carrier_of(
    side: Side, home: Path, monkeypatch: pytest.MonkeyPatch, url: str = "tunnel:office"
) -> AsyncIterator[tuple[TunnelCarrier, Inbox]]:
    """Have a carrier of an agent beside one end."""
    directory = home / "tunnels" / "office" / side.settings.end
    directory.mkdir(parents=True, exist_ok=True)
    server = await asyncio.get_running_loop().create_unix_server(side.end.carrier, directory / "carry")
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("NDKS_HOME", str(home))
    carrier = open_carrier(url, "", home)
    assert isinstance(carrier, TunnelCarrier)
    inbox = Inbox()
    carrier.start(inbox)
    await until(lambda: carrier._connection is not None)
    try:
        yield carrier, inbox
    finally:
        await asyncio.to_thread(carrier.close)
        server.close()


def test_packets_of_all_sizes_go_both_ways(homes: list[Path], monkeypatch: pytest.MonkeyPatch):
    async def work() -> None:
        async with (
            world() as made,
            carrier_of(made.a, homes[0], monkeypatch) as (at_a, from_b),
            carrier_of(made.b, homes[1], monkeypatch) as (at_b, from_a),
        ):
            await until(lambda: at_a.has_room and at_b.has_room)
            assert at_a.problem is None
            sent = [noise(size, size) for size in (1, 65535, 65536, 65537, 131072, 5_000_000)]
            for packet in sent:
                assert at_a.send(packet)
            assert at_b.send(b"back")
            assert [await asyncio.to_thread(from_a.next) for _ in sent] == sent
            assert await asyncio.to_thread(from_b.next) == b"back"
            assert made.a.tally.carried_sent == made.b.tally.carried_received == len(sent)
            await until(lambda: at_a.is_idle and at_b.is_idle)

    run(work)


def test_what_waits_for_a_link_goes_when_there_is_one(homes: list[Path], monkeypatch: pytest.MonkeyPatch):
    async def work() -> None:
        async with world() as made, carrier_of(made.b, homes[1], monkeypatch) as (_, from_a):
            made.proxy.is_open = False
            made.proxy.cut()
            await until(lambda: made.a.end.link is None)
            async with carrier_of(made.a, homes[0], monkeypatch) as (at_a, _):
                assert at_a.problem
                assert not at_a.has_room
                assert at_a.send(b"stays")
                assert at_a.send(b"out of date", passing=True)
                made.proxy.is_open = True
                assert await asyncio.to_thread(from_a.next) == b"stays"
                await until(lambda: at_a.problem is None)
                assert from_a.rest(0.1) == []

    run(work)


def test_a_link_that_is_cut_takes_no_packet_with_it_into_the_next(homes: list[Path], monkeypatch: pytest.MonkeyPatch):
    async def work() -> None:
        async with (
            world() as made,
            carrier_of(made.a, homes[0], monkeypatch) as (at_a, _),
            carrier_of(made.b, homes[1], monkeypatch) as (_, from_a),
        ):
            await until(lambda: at_a.has_room)
            sent = [noise(3_000_000, seed) for seed in range(5)]
            for packet in sent:
                at_a.send(packet)
                await asyncio.sleep(0.01)
                cuts = made.a.tally.cuts
                made.proxy.cut()
                await until(lambda before=cuts: made.a.tally.cuts > before)
                await made.a.linked()
            await until(lambda: at_a.is_idle)
            at_a.send(b"last")
            got = [await asyncio.to_thread(from_a.next)]
            while got[-1] != b"last":
                got.append(await asyncio.to_thread(from_a.next))
            assert all(packet in sent for packet in got[:-1])

    run(work)


@pytest.mark.parametrize("behind", ["a", "b"])
def test_a_gateway_that_is_behind_gets_the_news(behind: str, homes: list[Path], monkeypatch: pytest.MonkeyPatch):
    async def work() -> None:
        async with world() as made:
            await made.a.linked()
            ahead, late = (made.b, made.a) if behind == "a" else (made.a, made.b)
            async with (
                carrier_of(ahead, homes[0], monkeypatch) as (at_ahead, _),
                carrier_of(late, homes[1], monkeypatch) as (_, news),
            ):
                ahead.gate.enter(2)
                made.proxy.cut()  # and no link before the news
                assert at_ahead.send(b"bundle 2", 2)
                assert await asyncio.to_thread(news.next) == b"bundle 2"
                late.gate.enter(2)
                await made.a.linked()
                assert made.a.tally.failed["GENERATION"]
                assert made.a.tally.full == 2

    run(work)


def test_an_agent_that_comes_later_gets_the_news(homes: list[Path], monkeypatch: pytest.MonkeyPatch):
    async def work() -> None:
        async with world() as made:
            await made.a.linked()
            made.a.end._carrying.send(b"bundle 2", 2)
            made.a.gate.enter(2)
            made.proxy.cut()
            await until(lambda: made.b.tally.failed["GENERATION"] > 0)
            async with carrier_of(made.b, homes[1], monkeypatch) as (_, news):
                assert await asyncio.to_thread(news.next) == b"bundle 2"

    run(work)


@pytest.mark.parametrize("message", [b"\xff" * 100, HEAD.pack(1, 0x10001) + b"x"])
def test_who_connects_and_talks_something_else_is_closed(
    message: bytes, homes: list[Path], monkeypatch: pytest.MonkeyPatch
):
    async def work() -> None:
        async with world() as made, carrier_of(made.a, homes[0], monkeypatch):
            reader, writer = await asyncio.open_unix_connection(homes[0] / "tunnels" / "office" / LISTEN / "carry")
            writer.write(message)
            with contextlib.suppress(ConnectionResetError):
                while await reader.read(100):
                    pass
            writer.close()

    run(work)


def test_both_ends_may_run_here(homes: list[Path], monkeypatch: pytest.MonkeyPatch):
    async def work() -> None:
        async with world() as made, contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(carrier_of(made.a, homes[0], monkeypatch))
            _, at_b = await stack.enter_async_context(
                carrier_of(made.b, homes[0], monkeypatch, "tunnel:office?end=accept")
            )
            either, named = TunnelCarrier("tunnel:office"), TunnelCarrier("tunnel:office?end=listen")
            for carrier in (either, named):
                carrier.start(Inbox())
                stack.push_async_callback(asyncio.to_thread, carrier.close)
            await until(lambda: named.has_room and "both ends" in str(either.problem))
            assert either.problem
            assert "tunnel:office?end=listen" in str(either.problem.advice)
            named.send(b"to B")
            assert await asyncio.to_thread(at_b.next) == b"to B"

    run(work)


def test_a_tunnel_that_does_not_run_is_a_problem(homes: list[Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NDKS_HOME", str(homes[0]))
    carrier = TunnelCarrier("tunnel:none")
    carrier.start(Inbox())
    carrier.send(b"x")
    assert carrier.problem
    assert not carrier.has_room
    carrier.close()
    for url in "tunnel:", "tunnel:../x", "tunnel:.", "tunnel:none?", "tunnel:none?end=", "tunnel:none?end=both":
        with pytest.raises(UsageError):
            TunnelCarrier(url)
    assert packed(b"x") == bytes([0, 0, 0, 1, 0, 0, 0, 0]) + b"x"
    assert packed(b"", 6) == bytes([0, 0, 0, 0, 0, 0, 0, 7])
