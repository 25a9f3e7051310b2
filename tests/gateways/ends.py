# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Both ends of a tunnel in one event loop, over TCP on 127.0.0.1, with units in memory and a proxy that cuts links."""

import asyncio
import contextlib
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from support.ports import free_port

from ndks.exceptions import NdksError
from ndks_gateways.held import UnitAway
from ndks_gateways.running.end import End
from ndks_gateways.running.settings import Address, Settings
from ndks_gateways.running.store import Pinned
from ndks_gateways.running.tally import Tally
from ndks_gateways.tunnel.derivations import derived
from ndks_gateways.tunnel.doors import Door, epoch_door
from ndks_gateways.tunnel.errors import Reflected
from ndks_gateways.tunnel.steps import Ahead, Behind, MessageKeys, OpenedKeys

HOST = "127.0.0.1"
PATIENCE = 60.0


@dataclass
class Network:
    """What its units have in common."""

    secret: bytes = field(default_factory=lambda: os.urandom(32))
    made: dict[bytes, tuple[int, int]] = field(default_factory=dict)  # header: lane, generation
    revoked: set[int] = field(default_factory=set)


class FakeGate:
    """Offers what `Gate` does."""

    def __init__(self, network: Network, lane: int, name: str = "office") -> None:
        self.network = network
        self.lane: int | None = lane
        self.name = name
        self.generation = 1
        self.away: NdksError | None = None
        self.changes = 0
        self.sealed = self.opened = 0
        self._changed = asyncio.Event()

    def doors(self) -> tuple[Door, ...]:
        exported = {g: derived(self.network.secret, "exported", bytes([g])) for g in range(self.generation, 0, -1)}
        return tuple(epoch_door(key, g, self.name) for g, key in exported.items())

    async def wait_change(self, known: int) -> int:
        while self.changes == known:
            await self._changed.wait()
        return self.changes

    def change(self) -> None:
        self.changes += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def enter(self, generation: int) -> None:
        self.generation = generation
        self.change()

    def unplug(self) -> None:
        self.away = UnitAway("unplugged")
        self.change()

    def plug(self) -> None:
        self.away = None
        self.change()

    async def seal(self) -> MessageKeys:
        if self.away:
            raise self.away
        self.sealed += 1
        assert self.lane
        header = os.urandom(37)
        self.network.made[header] = self.lane, self.generation
        return MessageKeys(header, *self._keys(header))

    async def open(self, header: bytes) -> OpenedKeys:
        if self.away:
            raise self.away
        self.opened += 1
        lane, generation = self.network.made[header]
        if lane == self.lane:
            raise Reflected("reflected")
        if generation > self.generation:
            raise Behind(self.generation)
        if generation < self.generation:
            raise Ahead
        return OpenedKeys(lane, *self._keys(header))

    def _keys(self, header: bytes) -> tuple[bytes, bytes]:
        return derived(self.network.secret, "tag", header), derived(self.network.secret, "aes", header)


class FakeStore:
    """Offers what `Store` does."""

    def __init__(self) -> None:
        self.static = X25519PrivateKey.generate()
        self.peer: Pinned | None = None
        self.pairs: tuple[bytes, ...] = ()

    def pin(self, peer: Pinned) -> None:
        self.peer = peer

    def keep_pairs(self, pairs: tuple[bytes, ...]) -> None:
        self.pairs = pairs

    def drop_pairs(self) -> None:
        self.pairs = ()

    def forget(self) -> None:
        self.peer, self.pairs = None, ()


class Side:
    """One end, which may be ended and begun again as another process."""

    def __init__(self, settings: Settings, gate: FakeGate, store: FakeStore) -> None:
        self.settings = settings
        self.gate = gate
        self.store = store

    async def begin(self) -> None:
        self.tally = Tally()
        self.end = End(self.settings, self.gate, self.store, self.tally)
        self._task = asyncio.create_task(self.end.run())
        waiting = asyncio.create_task(self.end.listening.wait())
        await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._task.done():
            self._task.result()

    async def kill(self) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})

    async def linked(self) -> None:
        await until(lambda: self.end._switch.may_send)


class Proxy:
    """Brings the bytes of links from A to B; cuts, stops, or changes them."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.is_open = True
        self.source: tuple[str, int] | None = None  # the address that links come from
        self.connections = 0
        self.writers: set[asyncio.StreamWriter] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.going = asyncio.Event()
        self.going.set()
        self.frozen: set[asyncio.StreamWriter] = set()

    async def listen(self) -> int:
        self.server = await asyncio.start_server(self._serve, HOST, free_port())
        return self.server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if not self.is_open:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection(HOST, self.target, local_addr=self.source)
        except OSError:
            writer.transport.abort()
            return
        self.writers |= {writer, back}
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._pump(source, sink))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(1 << 16):
                await self.going.wait()
                if sink in self.frozen:
                    continue
                sink.write(data)
                await sink.drain()
        with contextlib.suppress(OSError):
            sink.close()
        self.writers.discard(sink)

    def freeze(self) -> None:
        """Lose all that comes on the connections that there are, and let them be."""
        self.frozen |= self.writers

    def cut(self) -> None:
        """Cut all connections, with what is in flight."""
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()

    async def close(self) -> None:
        self.server.close()
        self.cut()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


class Service:
    """A TCP server; `serve` is what it does with a connection."""

    def __init__(self, serve) -> None:
        self._serve = serve
        self.writers: set[asyncio.StreamWriter] = set()

    async def listen(self) -> int:
        self.server = await asyncio.start_server(self._served, HOST, 0, backlog=1024)
        return self.server.sockets[0].getsockname()[1]

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def close(self) -> None:
        self.server.close()
        for writer in list(self.writers):
            writer.transport.abort()
        await asyncio.sleep(0.01)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


@dataclass
class World:
    """A, B, the way between them, and the service behind B."""

    network: Network
    a: Side
    b: Side
    proxy: Proxy
    service: Service
    port: int = 0

    async def connect(self, limit: int = 1 << 16) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(HOST, self.a.settings.inner.port, limit=limit)


@contextlib.asynccontextmanager
async def world(
    serve=echo,
    *,
    udp: bool = False,
    udp_at_b: bool | None = None,
    through_proxy: bool = True,
    target: int = 0,
    outer: int = 0,
    way: bool = False,
) -> AsyncIterator[World]:
    """Have a tunnel. With a way of its own for datagrams, a proxy listens at another port than B."""
    network = Network()
    service = Service(serve)
    port = target or await service.listen()
    inner, outer = free_port(), outer or free_port()
    proxy = Proxy(outer)
    through_proxy |= way
    at = await proxy.listen() if through_proxy else outer
    of_b = Settings(
        "office", False, Address(HOST, port), Address(HOST, outer), udp=udp if udp_at_b is None else udp_at_b
    )
    of_a = Settings("office", True, Address(HOST, inner), Address(HOST, at), udp=udp)
    b = Side(of_b, FakeGate(network, 2), FakeStore())
    a = Side(of_a, FakeGate(network, 1), FakeStore())
    made = World(network, a, b, proxy, service, port)
    await b.begin()
    await a.begin()
    try:
        yield made
    finally:
        await a.kill()
        await b.kill()
        if through_proxy:
            await proxy.close()
        if not target:
            await service.close()
        await asyncio.sleep(0.02)


async def until(condition, seconds: float = PATIENCE) -> None:
    """Wait for a condition; fail when it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        await asyncio.sleep(0.005)


def run(work: Callable[[], Coroutine[object, object, None]]) -> None:
    """Run a test that ends."""

    async def bounded() -> None:
        async with asyncio.timeout(100):
            await work()

    asyncio.run(bounded())


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)
