# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What is measured of a pair of gateways."""

import asyncio
import contextlib
import secrets
import select
import socket
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from .applications import ECHO, IGNORE, connect, send
from .pairs import Pair
from .processes import application, cpu_seconds

Figures = dict[str, float]
FIRST_BYTES = 200  # connections
AT_ONCE = 100  # connections
_ECHOED = 1 << 18  # bytes of each
_AT_ONCE_SECONDS = 20.0
PINGS = 1.5  # seconds of round trips
STRANGERS = 500
_PROBE = 1 << 24  # bytes from which the rate is estimated
_MOST = 1 << 30  # bytes of one stream
_QUIET = 0.3  # seconds in which nothing was taken: the stream stands


def stream(pair: Pair, seconds: float) -> Figures:
    """One stream, for about so many seconds."""
    rate = _PROBE / send(pair.entrance, _PROBE)
    size = min(_MOST, max(_PROBE, int(rate * seconds)))
    before = cpu_seconds(pair.processes)
    took = send(pair.entrance, size)
    taken = cpu_seconds(pair.processes) - before
    return {"MB/s": size / took / 1e6, "CPU s/GB": taken / (size / 1e9)}


def first_byte(pair: Pair) -> Figures:
    """New connections, one after the other: milliseconds from before connecting until the first byte is back."""
    waits: list[float] = []
    for _ in range(FIRST_BYTES):
        began = time.perf_counter()
        with connect(pair.entrance, ECHO + b"x") as line:
            if not line.recv(1):
                raise ConnectionError("a connection ended early")
            waits.append(time.perf_counter() - began)
    return {"first byte ms": statistics.median(waits) * 1e3}


def at_once(pair: Pair) -> Figures:
    """Many connections at once, whose bytes are echoed: how many fail."""

    async def one() -> bool:
        data = secrets.token_bytes(_ECHOED)
        reader, writer = await asyncio.open_connection("127.0.0.1", pair.entrance)
        try:
            writer.write(ECHO + data)
            return await reader.readexactly(_ECHOED) == data
        finally:
            writer.close()

    async def all_of_them() -> list[bool | BaseException]:
        waited = (asyncio.wait_for(one(), _AT_ONCE_SECONDS) for _ in range(AT_ONCE))
        return await asyncio.gather(*waited, return_exceptions=True)

    return {"failed": float(sum(found is not True for found in asyncio.run(all_of_them())))}


def round_trip(pair: Pair, log: Path) -> Figures:
    """Round trips of one byte beside a stream that is saturated, and beside one whose other end does not read."""
    with application(log, "flood", pair.entrance):
        time.sleep(0.5)  # until it floods
        beside_full = _pings(pair)
    with _stalled(pair):
        beside_stalled = _pings(pair)
    return {
        f"{name} {at}": value
        for name, found in (("full", beside_full), ("stalled", beside_stalled))
        for at, value in found.items()
    }


def stranger(pair: Pair) -> Figures:
    """Milliseconds of CPU that the gateway takes to refuse one who knocks with random bytes."""
    before = cpu_seconds(pair.guarding)
    for _ in range(STRANGERS):
        with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", pair.guard), 5.0) as line:
            if pair.hello:
                line.recv(pair.hello, socket.MSG_WAITALL)
            line.sendall(pair.knock())
            while line.recv(1 << 12):
                pass
    return {"stranger ms": (cpu_seconds(pair.guarding) - before) / STRANGERS * 1e3}


def _pings(pair: Pair) -> Figures:
    waits: list[float] = []
    with connect(pair.entrance, ECHO) as line:
        end = time.perf_counter() + PINGS
        while (began := time.perf_counter()) < end or len(waits) < 20:
            line.sendall(b"x")
            if not line.recv(1):
                raise ConnectionError("the connection of the round trips ended early")
            waits.append(time.perf_counter() - began)
    waits.sort()
    return {"p50": statistics.median(waits) * 1e3, "p99": waits[len(waits) * 99 // 100] * 1e3}


@contextlib.contextmanager
def _stalled(pair: Pair) -> Iterator[None]:
    """Send to a server that does not read, until nothing more is taken."""
    block = bytes(1 << 16)
    with connect(pair.entrance, IGNORE) as line:
        line.setblocking(False)
        while select.select([], [line], [], _QUIET)[1]:
            with contextlib.suppress(BlockingIOError):
                line.send(block)
        yield
