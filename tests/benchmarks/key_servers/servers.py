# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The servers that are measured, each as processes of its own."""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from serve.key_processes import KeyProcess, closing_all
from support.ports import free_port

from benchmarks.gateways.processes import running, wait_for_port
from benchmarks.gateways.tunnel import gateway
from ndks.line.services import SOCKETS
from ndks_gateways.serving import certs

from .clients import Served

SLOW = 0.028  # seconds a call: a unit on a board
_STUB = Path(__file__).with_name("stub.py")
_LIMITS = "wrong_ids = 1000000\n"


def make_certificates(directory: Path) -> Path:
    certs.make(directory, ("SAE_A", "SAE_B"), ("KME_A", "KME_B"), ("127.0.0.1",), 2)
    return directory


@contextlib.contextmanager
def stub(certificates: Path, directory: Path) -> Iterator[Served]:
    """A bare aiohttp server, for master and slave."""
    directory.mkdir()
    port, log = free_port(), directory / "log"
    with running([sys.executable, _STUB, port, certificates], log) as process:
        wait_for_port(port, log)
        yield Served(port, port, (process,), certificates)


@contextlib.contextmanager
def ndks(certificates: Path, directory: Path, delay: float = 0.0) -> Iterator[Served]:
    """`ndks serve` at two sites, each with an emulated unit and its service; SQLite on the directory's disk."""
    directory.mkdir()
    os.environ[SOCKETS] = str(directory)
    for file in certificates.iterdir():
        shutil.copy(file, directory)
    with gateway(directory / "a", 1, delay) as a, gateway(directory / "b", 2, delay) as b:
        servers = [KeyProcess(directory, name, unit) for name, (unit, _) in (("A", a), ("B", b))]
        with closing_all(servers):
            for server in servers:
                server.write(server.site, f'file = "{server.name}.sqlite"', limits=_LIMITS)
                server.begin()
                server.start()
                server.wait_until_ready()
            pids = [server.process.pid for server in servers if server.process]
            master, slave = (server.port for server in servers)
            yield Served(master, slave, (*pids, *a[1], *b[1]), directory, pids[1])


def slow_ndks(certificates: Path, directory: Path) -> "contextlib.AbstractContextManager[Served]":
    return ndks(certificates, directory, SLOW)
