# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Five clients of a service: exported keys, a gateway, an agent, a file in mode b, a long stream."""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from hosts.capsules import pieces_of
from support.public_network import public_network
from unit.other_member import OtherMember, header_of, open_offline

from ndks_protocol import commands, service
from ndks_protocol.commands import MAX_CHUNK

from .async_client import AsyncClient

NETWORK = public_network()
FILE = 20_000  # bytes


@dataclass
class Found:
    """What the clients got, and how long they waited for it in seconds."""

    waits: dict[str, list[float]] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)  # of the unit's own lane
    keys: list[int] = field(default_factory=list)  # indices of exported keys
    streamed: int = 0  # bytes
    files: int = 0

    def p99(self, what: str) -> float:
        waits = sorted(self.waits[what])
        return waits[len(waits) * 99 // 100]


class Load:
    """The clients, until `until` by the clock of the loop."""

    def __init__(self, paths: dict[str, Path], until: float) -> None:
        self.found = Found()
        self._paths = paths
        self._until = until
        self._loop = asyncio.get_running_loop()
        self._sender = OtherMember(NETWORK, 2)
        self._random = random.Random(1)

    async def run(self) -> Found:
        await asyncio.gather(self._keys(), self._gate(), self._agent(), self._file(), self._stream())
        return self.found

    async def _every(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        """Work at random times, so often on average."""
        while True:
            await asyncio.sleep(self._random.expovariate(1 / seconds))
            if self._loop.time() > self._until:
                return
            await work()

    async def _timed(self, what: str, answer: Awaitable[object]) -> object:
        began = self._loop.time()
        result = await answer
        self.found.waits.setdefault(what, []).append(self._loop.time() - began)
        return result

    async def _keys(self) -> None:
        client = await AsyncClient.connected(self._paths["keys"])

        async def take() -> None:
            epoch, index = await client.call(commands.NEXT_INDEX)
            await client.call(commands.KEY_CHUNK, epoch, index, 0, 32)
            await client.call(commands.ACKNOWLEDGE, epoch, index, 0)
            self.found.keys.append(index)

        await self._every(2.0, lambda: self._timed("key", take()))

    async def _gate(self) -> None:
        client = await AsyncClient.connected(self._paths["gate"])
        run = 1 << 47

        async def slots() -> None:
            await client.call(commands.KEY_CHUNK, 0, run + 5, 0, MAX_CHUNK)

        await asyncio.gather(
            self._every(2.0, lambda: self._seal(client)),
            self._every(2.0, lambda: self._open(client)),
            self._every(60.0, lambda: self._take_number(client)),
            self._every(10.0, lambda: self._timed("slots", slots())),
        )

    async def _agent(self) -> None:
        client = await AsyncClient.connected(self._paths["agent"])
        await asyncio.gather(self._every(5.0, lambda: self._seal(client)), self._every(5.0, lambda: self._open(client)))

    async def _file(self) -> None:
        client = await AsyncClient.connected(self._paths["keys"])
        data = secrets.token_bytes(FILE)

        async def encrypt() -> None:
            token = secrets.token_bytes(8)
            header, _ = await client.call(commands.SEAL_BEGIN, token, commands.AES, commands.DATA, bytes(8))
            capsule = header
            for piece in pieces_of(data):
                capsule += (await client.call(commands.SEAL_CHUNK, token, *piece))[0]
            self.found.numbers.append(header_of(NETWORK, header).number)
            if self.found.files % 100 == 0:
                assert open_offline(NETWORK, capsule) == data
            self.found.files += 1

        await self._every(0.5, lambda: self._timed("file", encrypt()))

    async def _stream(self) -> None:
        client = await AsyncClient.connected(self._paths["keys"])
        offsets = iter(range(0, 1 << 60, MAX_CHUNK))

        async def read() -> None:
            while self._loop.time() < self._until:
                await self._timed("chunk", client.call(commands.KEY_CHUNK, 0, 1 << 40, next(offsets), MAX_CHUNK))
                self.found.streamed += MAX_CHUNK

        await asyncio.gather(read(), read())

    async def _seal(self, client: AsyncClient) -> None:
        keys = await self._timed("seal", client.call(service.MESSAGE_KEYS, secrets.token_bytes(8), bytes(8)))
        self.found.numbers.append(header_of(NETWORK, keys.header).number)

    async def _open(self, client: AsyncClient) -> None:
        header = self._sender.seal(b"", "aes")[: commands.WIRE_HEADER_SIZE]
        await self._timed("open", client.call(service.OPEN_MESSAGE_KEYS, header, commands.AGAIN | commands.ALLOW_JUMP))

    async def _take_number(self, client: AsyncClient) -> None:
        answer = await self._timed("number", client.call(service.TAKE_NUMBER))
        self.found.numbers.append(answer.number)
