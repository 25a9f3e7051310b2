# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The conversation in an asyncio loop, against `ndks emulate` on a pseudo-terminal and on TCP."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from host.answering_pty import answering_pty, silence
from support.emulate_process import PATIENCE, EmulateProcess, emulated
from support.reference import exported_key

import ndks
from ndks.exceptions import UnitRemoved
from ndks.laptop.bindings import BindingStore
from ndks.line.conversation import START, Answer, Conversation, Dropped, Event
from ndks.line.link import unpack_answer
from ndks.line.session import Handshake
from ndks_protocol import commands
from ndks_protocol.binding import BindingKeys
from ndks_protocol.commands import Command

tty = pytest.importorskip("tty", reason="this system has no pseudo-terminals")

KEYS = 40


class AsyncLink(asyncio.Protocol):
    """A replacement of `Link` for concurrent callers. `timeout` is the longest wait for an answer in seconds."""

    def __init__(self, timeout: float) -> None:
        self.conversation = Conversation(timeout, 0)
        self.write: Callable[[bytes], None]
        self._answers: dict[int, asyncio.Future[bytes]] = {}  # by request id
        self._timer: asyncio.TimerHandle | None = None

    async def call(self, command: Command, *values: Any) -> tuple[Any, ...]:
        """Send one request; return the fields of its answer. A cancelled call leaves the session intact."""
        return unpack_answer(command, await self.call_raw(command, *values))

    async def call_raw(self, command: Command, *values: Any) -> bytes:
        loop = asyncio.get_running_loop()
        request_id, data = self.conversation.send(command, command.request.pack(*values), loop.time())
        self._answers[request_id] = loop.create_future()
        self.write(data)
        self._tell([])
        try:
            return await self._answers[request_id]
        finally:
            del self._answers[request_id]
            self.conversation.forget(request_id)

    def data_received(self, data: bytes) -> None:
        self._tell(self.conversation.receive(data))

    def connection_lost(self, exc: Exception | None) -> None:
        for answer in self._answers.values():
            answer.set_exception(UnitRemoved("the unit was removed"))

    def _expire(self) -> None:
        self._tell(self.conversation.expire(asyncio.get_running_loop().time()))

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Dropped) or (answer := self._answers[event.request_id]).done():
                continue
            answer.set_result(event.payload) if isinstance(event, Answer) else answer.set_exception(event.error)
        if self._timer:
            self._timer.cancel()
        if self.conversation.deadline is not None:
            self._timer = asyncio.get_running_loop().call_at(self.conversation.deadline, self._expire)


@contextlib.asynccontextmanager
async def opened(port: str, timeout: float) -> AsyncIterator[AsyncLink]:
    """Open socket://HOST:PORT, or the path of a terminal."""
    link, loop = AsyncLink(timeout), asyncio.get_running_loop()
    transports: list[asyncio.BaseTransport] = []
    if port.startswith("socket://"):
        writer, _ = await loop.create_connection(lambda: link, urlsplit(port).hostname, urlsplit(port).port)
    else:
        terminal = os.open(port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(terminal)
        transports += (await loop.connect_read_pipe(lambda: link, os.fdopen(os.dup(terminal), "rb", 0)))[:1]
        writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(terminal, "wb", 0))
    transports.append(writer)
    link.write = writer.write
    link.write(START)
    try:
        yield link
    finally:
        for transport in transports:
            transport.close()


@pytest.fixture(params=[(), ("--tcp", "0")], ids=["pty", "tcp"])
def unit(request: pytest.FixtureRequest, alice: str) -> Iterator[EmulateProcess]:
    with emulated(Path(alice.removeprefix("emulator:")), *request.param) as running:
        yield running


def keys_of(unit: EmulateProcess) -> BindingKeys:
    with ndks.open(unit.port) as greeted:
        return BindingStore().keys(greeted.hello)


async def unlock(link: AsyncLink, keys: BindingKeys) -> None:
    handshake = Handshake(await link.call_raw(commands.HELLO), keys.auth)
    await link.call(commands.PROVE, handshake.prove(*await link.call(commands.OPEN_SESSION, *handshake.share)))
    link.conversation.secure(handshake.channel())
    await link.call(commands.UNLOCK, keys.kek, 0, False)


def talk(unit: EmulateProcess, what: Callable[[AsyncLink], Awaitable[Any]]) -> Any:
    """Run an operation in a session with the unit."""
    keys = keys_of(unit)

    async def in_session() -> Any:
        async with opened(unit.port, PATIENCE) as link:
            await unlock(link, keys)
            return await what(link)

    return asyncio.run(in_session())


def key_of(link: AsyncLink, index: int) -> Awaitable[tuple[Any, ...]]:
    return link.call(commands.KEY_CHUNK, 0, index, 0, 16)


def test_many_callers_at_a_time(unit: EmulateProcess, network: ndks.Network) -> None:
    async def take(link: AsyncLink) -> list[tuple[Any, ...]]:
        return await asyncio.gather(*(key_of(link, index) for index in range(1, KEYS + 1)))

    assert talk(unit, take) == [(exported_key(network, index, 0, 16),) for index in range(1, KEYS + 1)]


def test_a_cancelled_call_leaves_the_session_in_step(unit: EmulateProcess, network: ndks.Network) -> None:
    async def take(link: AsyncLink) -> list[tuple[Any, ...]]:
        tasks = [asyncio.ensure_future(key_of(link, index)) for index in range(1, KEYS + 1)]
        await tasks[0]
        for task in tasks[1::2]:
            task.cancel()
        kept = await asyncio.gather(*tasks[2::2])
        assert link.conversation.is_secured
        return kept

    assert talk(unit, take) == [(exported_key(network, index, 0, 16),) for index in range(3, KEYS + 1, 2)]


def test_refusals_and_a_lost_session(unit: EmulateProcess) -> None:
    async def ask(link: AsyncLink) -> list[Any]:
        refused = await asyncio.gather(key_of(link, 0), key_of(link, 1), return_exceptions=True)
        asked = [asyncio.ensure_future(key_of(link, 1)) for _ in range(2)]
        greeting = asyncio.ensure_future(link.call_raw(commands.HELLO))
        return [*refused, *await asyncio.gather(*asked, return_exceptions=True), len(await greeting)]

    refused, key, *lost, size = talk(unit, ask)
    assert (refused.code, len(key[0])) == ("RANGE", 16)
    assert [error.code for error in lost] == ["SESSION_ENDED"] * 2
    assert size > 50


def test_a_unit_that_is_removed(unit: EmulateProcess) -> None:
    async def ask(link: AsyncLink) -> Any:
        asked = asyncio.gather(*(key_of(link, 1) for _ in range(3)), return_exceptions=True)
        unit.process.kill()
        return await asked

    answers = talk(unit, ask)
    assert {type(answer) for answer in answers} <= {tuple, ndks.UnitRemoved}
    assert isinstance(answers[-1], ndks.UnitRemoved)


def test_silence() -> None:
    async def ask(port: str) -> None:
        async with opened(port, 0.2) as link:
            with pytest.raises(ndks.UnitTimeout):
                await link.call(commands.HELLO)

    with answering_pty(silence) as port:
        asyncio.run(ask(port))
