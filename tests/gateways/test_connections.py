# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two ends over real sockets: the connections of applications, which end, stall, are reset, and wait."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from support.ports import free_port

from gateways.connections import abort, exchange
from gateways.ends import HOST, PATIENCE, echo, noise, run, until, world
from ndks_gateways.running.settings import Address
from ndks_gateways.tunnel.streams import WINDOW


def test_a_stream_goes_through_and_back():
    async def work() -> None:
        async with world() as made:
            data = noise(3_000_000)
            assert await exchange(made, data) == data
            await until(lambda: made.a.end.streams == made.b.end.streams == 0)
            assert made.a.tally.full == made.b.tally.full == 1

    run(work)


def test_a_stream_that_stalls_stalls_no_other():
    async def work() -> None:
        stalled = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if await reader.readexactly(1) == b"s":
                await stalled.wait()
            await echo(reader, writer)

        async with world(serve) as made:
            _, stuck = await made.connect()
            data = b"s" + noise(20_000_000)
            stuck.write(data)
            others = [noise(2_000_000, seed) for seed in range(3)]
            for each in others:
                assert await exchange(made, b"g" + each) == each
            assert made.a.end.kept_bytes < 4 << 20
            stalled.set()
            stuck.transport.abort()

    run(work)


def test_many_small_writes_that_nobody_takes_are_few_objects(monkeypatch: pytest.MonkeyPatch):
    """asyncio keeps an object for each write, of 200 bytes and more from Python 3.12 on: 1 MB would take 360."""

    async def work() -> None:
        may_read = asyncio.Event()
        received = b""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal received
            writer.transport.pause_reading()
            await may_read.wait()
            writer.transport.resume_reading()
            received = await reader.read(-1)
            writer.write(b"all")
            writer.write_eof()

        async with world(serve) as made:
            reader, writer = await made.connect()
            await until(lambda: made.b.end.streams == 1)
            (at_b,) = made.b.end._sockets._sockets.values()
            sent = b""

            async def come() -> None:
                await until(lambda: made.b.tally.received == len(sent))

            while not at_b._transport or not at_b._transport.get_write_buffer_size():
                writer.write(noise(50_000))
                sent += noise(50_000)
                await come()
            writes: list[int] = []
            write = at_b._transport.write
            monkeypatch.setattr(at_b._transport, "write", lambda data: (writes.append(len(data)), write(data)))
            for number in range(200):
                writer.write(bytes([number]))
                sent += bytes([number])
                await come()
            assert not writes
            assert made.a.end._sockets._streams.table[1].credit <= WINDOW - 200  # what waits is not counted as taken
            writer.write_eof()
            await until(lambda: at_b.stream.is_finished_there)
            may_read.set()
            assert await reader.read(-1) == b"all"
            assert received == sent
            await until(lambda: made.a.end.streams == made.b.end.streams == 0)
            writer.close()

    run(work)


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """The port of an address from which nothing comes, not even a refusal."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind((HOST, 0))
        listening.listen(0)
        for _ in range(3):  # what waits to be accepted is full
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


@pytest.mark.parametrize("where", ["outer", "inner"])
def test_a_name_with_an_address_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, where: str):
    """As that of IPv6 where only IPv4 gets through."""

    async def work() -> None:
        async with world() as made:
            await made.a.linked()
            user, name = (made.a.end._linking, "_where") if where == "outer" else (made.b.end._sockets, "_inner")
            named = Address("gateway.example", getattr(user, name).port)
            monkeypatch.setattr(user, name, named)
            loop = asyncio.get_running_loop()
            found = loop.getaddrinfo

            async def two(address: tuple[str, int], *, loop: object, **options: int) -> list[Any]:
                if address != named:
                    return await found(*address, **options)
                return [*await found(HOST, nothing, **options), *await found(HOST, named.port, **options)]

            with silent() as nothing:
                monkeypatch.setattr(loop, "_ensure_resolved", two)
                made.proxy.cut()
                await until(lambda: made.a.tally.resumed == 1)
                async with asyncio.timeout(PATIENCE):  # else it never comes
                    assert await exchange(made, b"hello") == b"hello"

    run(work)


def test_each_direction_ends_for_itself():
    async def work() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"first")
            writer.write_eof()
            got = await reader.read(-1)
            received.append(got)

        received: list[bytes] = []
        async with world(serve) as made:
            reader, writer = await made.connect()
            assert await reader.read(-1) == b"first"
            writer.write(noise(2_000_000))
            await writer.drain()
            writer.close()
            await until(lambda: received == [noise(2_000_000)])
            await until(lambda: made.a.end.streams == made.b.end.streams == 0)

    run(work)


@pytest.mark.parametrize("who", ["application", "service"])
def test_a_reset_goes_through(who: str):
    async def work() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if who == "service":
                await reader.readexactly(1)
                abort(writer)
                return
            seen.append(await outcome(reader))

        seen: list[object] = []
        async with world(serve) as made:
            reader, writer = await made.connect()
            writer.write(b"x")
            if who == "application":
                await until(lambda: made.b.end.streams == 1)
                abort(writer)
                await until(lambda: seen)
            else:
                seen.append(await outcome(reader))
            assert seen == [ConnectionResetError]
            await until(lambda: made.a.end.streams == made.b.end.streams == 0)

    run(work)


async def outcome(reader: asyncio.StreamReader) -> object:
    try:
        while await reader.read(1000):
            pass
    except OSError as error:
        return type(error)
    return None


def test_a_service_that_is_not_there_resets_connections():
    async def work() -> None:
        async with world(target=free_port()) as made:
            reader, _ = await made.connect()
            assert await outcome(reader) is ConnectionResetError

    run(work)


def test_a_hundred_connections_at_once():
    async def work() -> None:
        async with world() as made:
            data = [noise(100_000, seed) for seed in range(100)]
            assert await asyncio.gather(*(exchange(made, each) for each in data)) == data

    run(work)


@pytest.mark.parametrize("which", ["a", "b"])
def test_streams_of_a_process_that_is_dead_are_reset(which: str):
    async def work() -> None:
        async with world() as made:
            reader, writer = await made.connect()
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            side = getattr(made, which)
            await side.kill()
            await side.begin()
            assert await outcome(reader) is ConnectionResetError
            data = noise(500_000)
            assert await exchange(made, data) == data
            assert made.a.end.streams == made.b.end.streams == 0

    run(work)


def waiting(made) -> int:
    return len(made.a.end._waiting.connections)


def test_connections_wait_for_the_other_end():
    async def work() -> None:
        async with world() as made:
            await made.a.linked()
            await made.b.kill()
            await until(lambda: made.a.end.problem_code == "LINK_CLOSED")
            going = asyncio.create_task(exchange(made, noise(3_000_000)))
            await until(lambda: waiting(made) == 1)
            await made.b.begin()  # another process than before
            assert await going == noise(3_000_000)
            assert made.a.tally.resets == waiting(made) == 0

    run(work)


def test_a_connection_waits_for_a_link_so_long(monkeypatch: pytest.MonkeyPatch):
    async def work() -> None:
        seen: list[bytes] = []

        async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(await reader.read(100))

        async with world(note) as made:
            await made.a.linked()
            await made.b.kill()
            await until(lambda: made.a.end.problem_code == "LINK_CLOSED")
            monkeypatch.setattr("ndks_gateways.running.waiting.LONGEST_WAIT", 0.2)
            reader, writer = await made.connect()
            writer.write(b"late")
            with pytest.raises(ConnectionResetError):
                await reader.read(1)
            monkeypatch.undo()
            kept = await made.connect()
            kept[1].write(b"in time")
            await until(lambda: waiting(made) == 1)
            await made.b.begin()
            await until(lambda: seen)
            assert seen == [b"in time"]
            for each in (writer, kept[1]):
                each.close()

    run(work)
