# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Measure `ndks service`.

export PYTHONPATH=tests:tests/checks
python tests/benchmarks/shared_unit.py                   what a hop costs; key requests a second beside the port itself
python tests/benchmarks/shared_unit.py load SECONDS      five clients in virtual time, a unit with 28 ms a call
python tests/benchmarks/shared_unit.py chip SECONDS      the same at an emulated chip, real time; needs NDKS_UF2=IMAGE
python tests/benchmarks/shared_unit.py crash ROUNDS      so many killed services, killed clients and pulled cables

All use an emulated unit behind a pseudo-terminal, load one in memory, chip the firmware in CircuitPython.
"""

import asyncio
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import serial
from service import virtual
from service.crashing import Crashing
from service.load import Found, Load
from support.emulate_process import emulated
from support.public_network import public_network
from support.serve_process import served

import ndks
from ndks.laptop.homes import HOME
from ndks.line.services import SCOPES, SOCKETS
from ndks_protocol import commands

REPEATED = 2000
ROUNDS = 7
CLIENTS = 16


def main(what: str = "hop", amount: str = "", path: str = "") -> None:
    if what == "relay":
        asyncio.run(relay(amount, path))
        return
    with tempfile.TemporaryDirectory(prefix="ndks-bench-") as directory:
        os.environ |= {HOME: directory, SOCKETS: directory}
        if what == "load":
            load(float(amount or 3600), Path(directory))
        elif what == "chip":
            options = "--link", f"{directory}/port", "--chip", os.environ["NDKS_UF2"], "--speed", "1"
            with joined(Path(directory), *options) as port:
                chip(port, float(amount or 600))
        else:
            options = "--link", f"{directory}/port", "--control", f"{directory}/control"
            with joined(Path(directory), *options) as port:
                hop(port, Path(directory)) if what == "hop" else crash(port, Path(directory), int(amount or 50))


@contextlib.contextmanager
def joined(directory: Path, *options: str) -> Iterator[str]:
    """Run an emulated unit, make it a member that is bound to this laptop, and yield its port."""
    with emulated(directory / "unit", *options) as unit:
        with ndks.open(unit.port) as opened:
            opened.bind(opened.provision(public_network(), 1))
        yield unit.port


def hop(port: str, directory: Path) -> None:
    found: dict[str, list[float]] = {"at the port": [], "through a relay": [], "through a service": []}
    for number in range(ROUNDS):  # in turn, because the machine is faster at one time than at another
        found["at the port"].append(times(port))
        with relayed(port, directory / "relay") as relay:
            found["through a relay"].append(times(relay))
        with served(port) as service:
            found["through a service"].append(times(service.port("keys")))
        print(f"{number + 1} of {ROUNDS}", end="\r", flush=True)
    direct = found["at the port"]
    print(f"\nKEY_CHUNK of 32 bytes, milliseconds; medians of {REPEATED} requests in each of {ROUNDS} rounds")
    for way, each in found.items():
        hops = [through - without for through, without in zip(each, direct, strict=True)]
        row = f"{way:20}{statistics.median(each):7.3f}"
        print(
            row
            if each is direct
            else f"{row}   a hop {statistics.median(hops):.3f} ({min(hops):.3f} to {max(hops):.3f})"
        )
    one = rate([port])
    with served(port) as service:
        rows = [rate([service.port("keys")] * count) for count in (1, CLIENTS)]
    print(f"requests a second: {one:.0f} at the port, {rows[0]:.0f} with one client, {rows[1]:.0f} with {CLIENTS}")


@contextlib.contextmanager
def relayed(port: str, path: Path) -> Iterator[str]:
    """Run a process that only copies bytes between a Unix socket and a port: what any hop costs; yield its port."""
    command = [sys.executable, __file__, "relay", port, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            process.stdout.readline()
            yield f"unix:{path}"
        finally:
            process.kill()


async def relay(port: str, path: str) -> None:
    loop = asyncio.get_running_loop()
    with serial.Serial(port, exclusive=True) as line:
        clients: list[asyncio.WriteTransport] = []

        class Copying(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                clients[:] = [cast(asyncio.WriteTransport, transport)]

            def data_received(self, data: bytes) -> None:
                os.write(line.fd, data)

        loop.add_reader(line.fd, lambda: clients[0].write(os.read(line.fd, 4096)))
        async with await loop.create_unix_server(Copying, path) as server:
            print("ready", flush=True)
            await server.serve_forever()


def times(port: str) -> float:
    """Return the median time of a request in milliseconds."""
    with ndks.open(port) as unit:
        ask = asking(unit)
        return statistics.median(timed(ask) for _ in range(REPEATED)) * 1e3


def asking(unit: ndks.Unit) -> Callable[[], object]:
    unit.unlock()
    return lambda: unit._link.call(commands.KEY_CHUNK, 0, 1, 0, 32)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def rate(ports: list[str]) -> float:
    """Return the requests a second of clients in threads, each with one request at a time."""
    each = REPEATED // len(ports)

    def work(port: str) -> None:
        with ndks.open(port) as unit:
            ask = asking(unit)
            for _ in range(each):
                ask()

    threads = [threading.Thread(target=work, args=(port,)) for port in ports]
    return each * len(ports) / timed(lambda: [*(thread.start() for thread in threads), *(t.join() for t in threads)])


def load(seconds: float, directory: Path) -> None:
    store = ndks.BindingStore(directory)

    async def work() -> tuple[Found, int]:
        async with virtual.served(virtual.member(store), store) as (unit, paths):
            return await Load(paths, seconds).run(), unit.calls

    began = time.monotonic()
    found, calls = virtual.run(work())
    print(f"{seconds:.0f} s in {time.monotonic() - began:.0f} s: {calls} calls of {virtual.CALL * 1e3:.0f} ms")
    show(found)


def chip(port: str, seconds: float) -> None:
    async def work(paths: dict[str, Path]) -> Found:
        return await Load(paths, asyncio.get_running_loop().time() + seconds).run()

    with served(port) as service:
        found = asyncio.run(work({scope: service.path(scope) for scope in SCOPES}))
    print(f"{seconds:.0f} s at an emulated chip")
    show(found)


def show(found: Found) -> None:
    print(f"{'milliseconds':16}{'number':>8}{'median':>8}{'p99':>8}{'most':>8}")
    for what, waits in sorted(found.waits.items()):
        figures = (statistics.median(waits), found.p99(what), max(waits))
        print(f"{what:16}{len(waits):8}" + "".join(f"{figure * 1e3:8.0f}" for figure in figures))
    twice = len(found.numbers) - len(set(found.numbers)) + len(found.keys) - len(set(found.keys))
    print(f"{len(found.numbers)} numbers and {len(found.keys)} keys, {twice} twice; {found.streamed} bytes streamed")


def crash(port: str, directory: Path, rounds: int) -> None:
    def control(command: str) -> str:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(f"{directory}/control")
            line.sendall(command.encode() + b"\n")
            return line.makefile().readline()

    with Crashing(port, control, directory) as crashing:
        for number in range(rounds):
            for what in ("service", "client", "cable"):
                crashing.crash(what)
            print(f"{number + 1} of {rounds}", end="\r", flush=True)
    print(f"\n{rounds} killed services, killed clients and pulled cables: nothing came twice; {crashing.check()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
