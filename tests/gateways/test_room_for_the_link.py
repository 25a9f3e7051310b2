# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Applications that reset or are many, and a peer that acknowledges nothing: the link has room, and stays."""

import asyncio

import pytest

from gateways.connections import abort
from gateways.ends import World, run, until, world
from ndks_gateways.running import flows, switching
from ndks_gateways.tunnel.delivery import Attached
from ndks_gateways.tunnel.frames import Frame


def test_an_application_that_resets_its_connection_cuts_no_link():
    """It has said that it sends no more, so nothing is read from it, and the reset is found when the stream ends."""

    async def work() -> None:
        may_end = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            await may_end.wait()

        async with world(serve) as made:
            await made.a.linked()
            link = made.a.end._switch.newest
            _, writer = await made.connect()
            writer.write_eof()
            await until(lambda: made.a.end.streams == made.b.end.streams == 1)
            await until(lambda: all(each.stream.is_finished_here for each in made.a.end._sockets._sockets.values()))
            abort(writer)
            await asyncio.sleep(0.05)  # for the reset to come
            may_end.set()
            await until(lambda: made.a.end.streams == made.b.end.streams == 0)
            assert made.a.end._switch.newest is link

    run(work)


def test_a_peer_that_acknowledges_nothing_takes_no_memory_without_end(monkeypatch: pytest.MonkeyPatch):
    async def work() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(bytes(1000))
            await reader.read()

        monkeypatch.setattr(switching, "_MOST_HELD", 20_000)
        async with world(serve) as made:
            await made.a.linked()
            delivery = made.a.end._switch.delivery
            note = delivery.note_counting

            def quiet(link: Attached, content: Frame) -> None:
                note(link, content)
                delivery._is_ack_due = False

            monkeypatch.setattr(delivery, "note_counting", quiet)
            monkeypatch.setattr(delivery, "acknowledge", lambda: None)
            process = made.b.end._switch.delivery.process
            while made.b.end._switch.delivery.process == process:
                _, writer = await made.connect()
                await asyncio.sleep(0.01)
                assert made.b.end.kept_bytes < 25_000
                writer.transport.abort()
            monkeypatch.undo()
            await until(lambda: made.a.end.link)

    run(work)


async def is_reset(made: World, held: list[asyncio.StreamWriter]) -> bool:
    """Whether a new connection of an application is reset, as there is no room for it; else it stays, held."""
    waiting = made.a.end._waiting.connections
    before, is_linked = len(waiting), made.a.end.link is not None
    reader, writer = await made.connect()
    held.append(writer)
    writer.write(b"x")
    echoed = asyncio.ensure_future(reader.readexactly(1))
    await until(lambda: echoed.done() or len(waiting) > before)
    if not echoed.done():
        echoed.cancel()
        return False
    try:
        assert (await echoed, is_linked) == (b"x", True)
    except ConnectionResetError:
        return True
    return False


def test_flows_of_datagrams_leave_room_for_the_link_too():
    async def work() -> None:
        async with world() as made:
            without = made.b.end._sockets.most
        async with world(udp=True) as made:
            assert made.a.end._sockets.most == without
            assert made.b.end._sockets.most == max(without - flows.MOST, (without + 1280) // 2)

    run(work)


@pytest.mark.parametrize("full", ["a", "b"])
def test_applications_leave_room_for_the_link(full: str):
    async def work() -> None:
        async with world() as made:
            await made.a.linked()
            side = made.a if full == "a" else made.b
            held: list[asyncio.StreamWriter] = []
            assert side.end._sockets.free > 500
            side.end._sockets.most = 3
            assert [await is_reset(made, held) for _ in range(5)] == [False] * 3 + [True] * 2
            made.proxy.is_open = False
            made.proxy.cut()
            await until(lambda: made.a.end._switch.newest is None)
            side.end._sockets.most = 5
            made.a.end._sockets.most = 5
            assert [await is_reset(made, held) for _ in range(4)] == [False] * 2 + [True] * 2
            made.proxy.is_open = True
            await until(lambda: made.b.end.streams == 5)
            for writer in held:
                writer.transport.abort()

    run(work)
