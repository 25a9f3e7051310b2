# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The pair of `ndks tunnel`: two emulated units, each behind a service, and two tunnels."""

import contextlib
import functools
import os
import secrets
import signal
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from support.emulate_process import emulated
from support.ports import free_port
from support.public_network import public_network
from support.serve_process import served

import ndks
from ndks.laptop.homes import HOME
from ndks.line.services import SOCKETS

from .applications import ECHO, connect
from .goals import OURS, SLOW
from .links import CHECK, HEADER, HELLO, Relay
from .measures import Figures
from .pairs import Pair
from .processes import application, running, wait_for_port

_SLOW = 0.028  # seconds a call: a unit on a board
_PATIENCE = 20.0  # seconds
_RUNS, _CUTS = 3, 5  # of the gateway that connects; of the link, in each run


def tunnel(server: int, directory: Path) -> "contextlib.AbstractContextManager[Pair]":
    return _tunnel(OURS, server, directory / "ndks", 0.0)


def slow_tunnel(server: int, directory: Path) -> "contextlib.AbstractContextManager[Pair]":
    return _tunnel(SLOW, server, directory / "slow", _SLOW)


@contextlib.contextmanager
def _tunnel(name: str, server: int, directory: Path, delay: float) -> Iterator[Pair]:
    entrance, guard, log = free_port(), free_port(), directory / "log"
    directory.mkdir()
    os.environ[SOCKETS] = str(directory)
    with gateway(directory / "a", 1, delay) as a, gateway(directory / "b", 2, delay) as b:
        base = sys.executable, "-m", "ndks", "tunnel", "bench"
        far_command = *base, "--unit", b[0], "--accept", f"127.0.0.1:{guard}", "--to", f"127.0.0.1:{server}"
        near_command = *base, "--unit", a[0], "--listen", f"127.0.0.1:{entrance}"
        near_home, far_home = directory / "a" / "home", directory / "b" / "home"
        with running(far_command, log, **_own(far_home)) as far:
            wait_for_port(guard, log)
            with running([*near_command, "--connect", f"127.0.0.1:{guard}"], log, **_own(near_home)) as near:
                wait_for_port(entrance, log)
                _wait_for_link(entrance, log)
                processes, guarding = (near, far, *a[1], *b[1]), (far, *b[1])
                link_up = functools.partial(_link_up, near_command, guard, near_home, near)
                yield Pair(name, entrance, processes, guard, guarding, HELLO, knock, link_up)


def _own(home: Path) -> dict[str, str]:
    """Return the directories of a gateway in its environment."""
    return {HOME: str(home), SOCKETS: str(home.parent)}


@contextlib.contextmanager
def gateway(directory: Path, lane: int, delay: float) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Run a unit and its service; yield the port of the service and the processes."""
    directory.mkdir()
    store = ndks.BindingStore(directory / "home")
    with contextlib.ExitStack() as stack:
        options = ("--tcp", "0") if delay else ("--link", str(directory / "port"))
        unit = stack.enter_context(emulated(directory / "unit", *options))
        with ndks.open(unit.port, bindings=store) as opened:
            opened.bind(opened.provision(public_network(), lane))
        port = unit.port
        if delay:
            relay = free_port()
            stack.enter_context(application(directory / "log", "delay", relay, port.rpartition(":")[2], delay))
            wait_for_port(relay, directory / "log")
            port = f"socket://127.0.0.1:{relay}"
        service = stack.enter_context(served(port, home=directory / "home"))
        yield service.port("gate"), (unit.process.pid, service.process.pid)


def _wait_for_link(entrance: int, log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        with contextlib.suppress(OSError), connect(entrance, ECHO + b"x", 5.0) as line:
            if line.recv(1):
                return
        assert time.monotonic() < end, f"no link comes up: {log.read_text()[-2000:]}"
        time.sleep(0.05)


def _link_up(command: Sequence[object], guard: int, home: Path, near: int) -> Figures:
    """End the near gateway, and run it again at a relay, which cuts its links."""
    os.kill(near, signal.SIGKILL)
    relay, took = Relay(guard), dict[str, list[float]](full=[], resumed=[])
    for _ in range(_RUNS):
        with running([*command, "--connect", f"127.0.0.1:{relay.port}"], home.with_name("log"), **_own(home)):
            for cuts in range(_CUTS + 1):
                if cuts:
                    relay.cut()
                kind, milliseconds = relay.link()
                took[kind].append(milliseconds)
        relay.cut()
    return {"link up ms": statistics.median(took["full"]), "resumed ms": statistics.median(took["resumed"])}


def knock() -> bytes:
    """Return a full knock whose parts have their sizes, and random contents."""
    noise = 32 + 20 + 16  # a public key; process and window, sealed
    sealed = secrets.token_bytes(HEADER + CHECK)
    return b"\1" + sealed + noise.to_bytes(2, "big") + secrets.token_bytes(noise + 16)
