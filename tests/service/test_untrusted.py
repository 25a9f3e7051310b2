# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Clients that send anything: typed errors, bounded memory, and others notice nothing."""

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ndks.service.connection import REQUESTS
from ndks_protocol import commands, errors, framing, service

from .conftest import Serve, Served

STATUS = framing.encode(commands.STATUS.code, 1, b"")
CODES = errors.TABLE.keys() | service.ERRORS.keys()


@contextlib.asynccontextmanager
async def raw(served: Served, scope: str = "keys") -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_unix_connection(str(served.paths[scope]))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def frames(reader: asyncio.StreamReader, count: int) -> list[framing.Frame]:
    """Return the next frames."""
    found: list[Any] = []
    decoder = framing.Decoder()
    while len(found) < count:
        data = await reader.read(4096)
        assert data, "the service has hung up"
        found += decoder.feed(data)
    return found


def test_garbage_and_half_frames(serve: Serve) -> None:
    async def work(served: Served) -> None:
        other = await served.client("keys")
        rng = random.Random(1)
        for number in range(30):
            async with raw(served) as (reader, writer):
                writer.write(rng.randbytes(rng.randrange(5000)))
                if number % 2:
                    writer.write(b"\0" + STATUS)
                    assert (await frames(reader, 1))[-1].kind == commands.STATUS.code | framing.ANSWER
            await other.call(commands.STATUS)

    serve(work)


def test_a_request_byte_by_byte_and_many_at_once(serve: Serve) -> None:
    async def work(served: Served) -> None:
        async with raw(served) as (reader, writer):
            for byte in STATUS:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.01)
            await frames(reader, 1)
            writer.write(b"".join(framing.encode(commands.STATUS.code, number, b"") for number in range(500)))
            assert [frame.request_id for frame in await frames(reader, 500)] == list(range(500))

    serve(work)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(sorted(commands.TABLE | service.TABLE)), st.binary(max_size=60)), max_size=30)
)
def test_any_payload_gets_an_answer_or_a_typed_error(serve: Serve, asked: list[tuple[int, bytes]]) -> None:
    left_out = service.RELEASE.code, service.WATCH.code
    asked = [each for each in asked if each[0] not in left_out] or [(commands.HELLO.code, b"")]

    async def work(served: Served) -> None:
        async with raw(served, "admin") as (reader, writer):
            for number, (kind, payload) in enumerate(asked):
                writer.write(framing.encode(kind, number, payload))
                (frame,) = await frames(reader, 1)
                assert frame.request_id == number
                if frame.kind == framing.ERROR:
                    assert int.from_bytes(frame.payload) in CODES - {errors.INTERNAL}
                else:
                    (commands.TABLE | service.TABLE)[kind].answer.unpack(frame.payload)

    serve(work)


def test_a_client_that_never_reads_has_few_requests_taken(serve: Serve) -> None:
    async def work(served: Served) -> None:
        silent = socket.socket(socket.AF_UNIX)
        silent.setblocking(False)
        await asyncio.get_running_loop().sock_connect(silent, str(served.paths["keys"]))
        request = framing.encode(commands.KEY_CHUNK.code, 1, commands.KEY_CHUNK.request.pack(0, 1, 0, 1024))
        sent = 0
        for _ in range(3000):  # until all buffers are full
            try:
                sent += silent.send(request)
            except BlockingIOError:
                await asyncio.sleep(0.1)
        before = served.unit.calls
        await asyncio.sleep(10)
        assert served.unit.calls - before <= REQUESTS
        other = await served.client("keys")
        began = asyncio.get_running_loop().time()
        await other.call(commands.STATUS)
        assert asyncio.get_running_loop().time() - began < 0.2
        silent.close()

    serve(work)


def test_64_clients_and_one_more(serve: Serve) -> None:
    async def work(served: Served) -> None:
        clients = [await served.client("keys") for _ in range(64)]
        states = await asyncio.gather(*(client.call(commands.STATUS) for client in clients))
        assert {status.network for status in states} == {"ndks-test"}
        async with raw(served) as (reader, writer):
            writer.write(STATUS)
            (frame,) = await frames(reader, 1)
            assert (frame.kind, int.from_bytes(frame.payload)) == (framing.ERROR, service.BUSY)
            assert await reader.read() == b""
        await (await served.client("gate")).call(commands.STATUS)  # another scope has room

    serve(work)


def test_a_client_that_leaves_in_the_middle(serve: Serve) -> None:
    async def work(served: Served) -> None:
        for _ in range(20):
            async with raw(served, "gate") as (_, writer):
                asked = [(service.MESSAGE_KEYS, bytes(16)), (service.TAKE_NUMBER, b""), (commands.NEXT_INDEX, b"")]
                for number, (command, payload) in enumerate(asked):
                    writer.write(framing.encode(command.code, number, payload))
                await asyncio.sleep(0.03)
        gate = await served.client("gate")
        numbers = [(await gate.call(service.TAKE_NUMBER)).number for _ in range(3)]
        assert numbers == list(range(numbers[0], numbers[0] + 3))

    serve(work)


def test_a_client_that_gives_up_many_watches_is_answered(serve: Serve) -> None:
    async def work(served: Served) -> None:
        loop = asyncio.get_running_loop()
        client, other = await served.client("keys"), await served.client("keys")
        serial = (await client.call(service.WATCH, 0)).serial
        watching = asyncio.create_task(other.call(service.WATCH, serial))
        began = loop.time()
        given_up = [asyncio.create_task(client.call(service.WATCH, serial)) for _ in range(10)]
        await client.call(commands.STATUS)
        assert loop.time() - began < 0.2
        assert [await each for each in given_up[:-1]] == [(serial, 1, 0, 0, 0, service.NO_BEACON)] * 9
        assert not watching.done()  # another client's stays
        assert await given_up[-1] == await watching == (serial, 1, 0, 0, 0, service.NO_BEACON)
        assert loop.time() - began >= 8

    serve(work)


def test_many_more_clients_than_there_is_room_for(serve: Serve) -> None:
    """Those without room are cut off: they would use up the descriptors that the unit and its counters need."""

    async def work(served: Served) -> None:
        agent = await served.client("agent")
        with contextlib.ExitStack() as stack:
            more = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(100)]
            for each in more:
                each.setblocking(False)
                each.connect(str(served.paths["agent"]))
                await asyncio.sleep(0.01)  # until it is accepted
            assert sum(not is_closed(each) for each in more) == 16
            await asyncio.sleep(3)
            assert all(is_closed(each) for each in more)
        await agent.call(commands.STATUS)

    serve(work)


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
