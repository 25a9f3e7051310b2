# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two ends over real sockets: streams go on while links are cut, renewed, silent, and replaced."""

import asyncio
import random

import pytest

from gateways.connections import exchange
from gateways.ends import noise, run, until, world
from ndks_gateways.running import connecting, links
from ndks_gateways.tunnel import records


def test_links_that_are_cut_at_random_lose_repeat_and_reorder_nothing(monkeypatch: pytest.MonkeyPatch):
    async def work() -> None:
        monkeypatch.setattr(connecting, "_LASTING", 0.0)  # else few are made
        async with world() as made:
            chance = random.Random(7)
            cuts = 0

            async def exchanged(data: bytes) -> None:
                while cuts < 10:
                    assert await exchange(made, data) == data

            exchanges = [asyncio.create_task(exchanged(noise(4_000_000, seed))) for seed in range(4)]
            while not all(task.done() for task in exchanges):
                if cuts % 2:  # else a slow machine never has a link
                    await made.a.linked()
                await asyncio.sleep(chance.uniform(0.0, 0.1))
                made.proxy.cut()
                cuts += 1
            await asyncio.gather(*exchanges)
            assert made.a.tally.resumed > 1
            assert made.a.tally.resets == made.b.tally.resets == 0

    run(work)


def test_renewal_under_load():
    async def work() -> None:
        async with world() as made:
            data = noise(30_000_000)
            going = asyncio.create_task(exchange(made, data))
            renewed = 0
            while not going.done():
                await asyncio.sleep(0.02)
                if made.a.tally.full < 4:  # what a door is good for at once
                    made.a.end._linking.renew()
                    renewed += 1
            assert going.result() == data
            assert made.a.tally.full > 1
            assert made.a.tally.cuts == made.b.tally.cuts == 0
            assert made.a.tally.resent == made.b.tally.resent == 0

    run(work)


def test_a_new_generation_makes_a_full_handshake_and_streams_go_on():
    async def work() -> None:
        async with world() as made:
            reader, writer = await made.connect()
            writer.write(b"before")
            assert await reader.readexactly(6) == b"before"
            for side in made.a, made.b:
                side.gate.enter(2)
            made.a.end._linking.renew()
            await until(lambda: made.a.tally.full == 2)
            writer.write(b"after")
            assert await reader.readexactly(5) == b"after"
            writer.close()

    run(work)


def test_while_the_unit_is_away_links_are_resumed():
    async def work() -> None:
        async with world() as made:
            reader, writer = await made.connect()
            writer.write(b"before")
            assert await reader.readexactly(6) == b"before"
            for side in made.a, made.b:
                side.gate.unplug()
            made.proxy.cut()
            writer.write(b"after")
            assert await reader.readexactly(5) == b"after"
            made.a.end._linking.renew()
            await until(lambda: made.a.tally.resumed == 2)
            writer.close()

    run(work)


def test_a_link_that_is_silent_is_replaced(monkeypatch: pytest.MonkeyPatch):
    """The cable is pulled: neither end is told, and what is in flight is lost."""

    async def work() -> None:
        monkeypatch.setattr(links, "PING_AFTER", 0.2)
        monkeypatch.setattr(links, "DEAD_AFTER", 0.6)
        monkeypatch.setattr(links, "_TICK", 0.1)
        async with world() as made:
            data = noise(20_000_000)
            going = asyncio.create_task(exchange(made, data))
            await until(lambda: made.b.tally.received > 2_000_000)
            made.proxy.going.clear()
            await until(lambda: made.a.end.link is None)
            made.proxy.cut()
            made.proxy.going.set()
            assert await going == data

    run(work)


def test_a_key_that_is_nearly_used_up_is_replaced_in_time(monkeypatch: pytest.MonkeyPatch):
    async def work() -> None:
        monkeypatch.setattr(records, "MOST_RECORDS", 100)
        monkeypatch.setattr(connecting, "_LOOK", 0.001)
        async with world() as made:
            data = noise(20_000_000)
            assert await exchange(made, data) == data
            assert made.a.tally.full + made.a.tally.resumed > 2

    run(work)


def test_what_waits_in_front_of_a_small_frame_is_little():
    """The line takes nothing, and many applications send."""

    async def work() -> None:
        async with world() as made:
            await made.a.linked()
            made.proxy.going.clear()
            writers = [(await made.connect())[1] for _ in range(40)]
            for writer in writers:
                writer.write(noise(3_000_000))
            switch = made.a.end._switch
            await until(lambda: made.a.tally.sent > 200_000)
            sent = -1
            while sent != made.a.tally.sent:
                sent = made.a.tally.sent
                await asyncio.sleep(0.3)
            transport = switch.newest._transport
            assert transport.get_write_buffer_size() < 512 << 10
            assert switch.delivery.unsent_bytes < 512 << 10
            for writer in writers:
                writer.transport.abort()

    run(work)


def test_a_new_link_does_not_wait_for_one_that_is_silent():
    """The line has lost the old one, and neither end was told."""

    async def work() -> None:
        async with world() as made:
            data = noise(20_000_000)
            going = asyncio.create_task(exchange(made, data))
            await until(lambda: made.b.tally.received > 2_000_000)
            made.proxy.freeze()
            made.a.end._linking.renew()
            assert await going == data
            assert made.a.tally.cuts == made.b.tally.cuts == 1

    run(work)


def test_an_idle_link_lives(monkeypatch: pytest.MonkeyPatch):
    async def work() -> None:
        monkeypatch.setattr(links, "PING_AFTER", 0.1)
        monkeypatch.setattr(links, "DEAD_AFTER", 2.0)  # a busy machine may stop for half a second
        monkeypatch.setattr(links, "_TICK", 0.05)
        async with world() as made:
            await made.a.linked()
            link = made.a.end.link
            await asyncio.sleep(2.5)  # longer than a silent link may live
            assert made.a.end.link
            assert made.a.end.link.since == link.since
            assert made.a.tally.cuts == 0

    run(work)
