# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Found a network of emulated units whose agents run in processes."""

import contextlib
import random
import secrets
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from support.control import Control
from support.emulate_process import emulated
from support.ports import free_port

import ndks
import ndks_emulator
from ndks.agent.running.membership import Membership
from ndks.network import administrator_file
from ndks.network.administration import Administration
from ndks.network.administrator import Administrator
from ndks.network.bundle import Bundle
from ndks.network.member_package import seal_member
from ndks.network.network_file import Network

from .crashing import Crashing
from .site import Settings, Site

_SLICE = 0.2  # seconds after which a hub looks whether to end


@contextlib.contextmanager
def founded(
    directory: Path, urls: Sequence[Sequence[str]], settings: Settings | None = None, seed: int = 1
) -> Iterator[Crashing]:
    """Found a network with a site for each list of carriers, in one generation, and run it.

    Without services the agents have their units in their own processes: who kills one cuts the power of the other.
    """
    settings = settings or Settings()
    path = directory / "office.ndksadmin"
    administrator = Administrator(Administration(Network.new("office", cipher="aes"), secrets.token_bytes(32)))
    with contextlib.ExitStack() as stack:
        ports = [_port(stack, directory / f"unit{n}", settings) for n in range(len(urls))]
        members = [(port, *_admitted(administrator, port)) for port in ports]
        bundle = administrator.issue()
        administrator_file.save(administrator.state, path)
        sites: list[Site] = []
        for number, (port, request, lane) in enumerate(members):
            _enrol(administrator, port, request, lane, bundle)
            file = path if number == 0 else None
            control = Control(directory / f"unit{number}.control")
            where = directory / f"site{number}"
            site = Site(request.serial_number, lane, port, where, urls[number], file, settings, control)
            stack.callback(site.end)
            site.start()
            sites.append(site)
        yield Crashing(sites, random.Random(seed))


def _port(stack: contextlib.ExitStack, directory: Path, settings: Settings) -> str:
    if not settings.has_service:
        with ndks_emulator.UnitDirectory(directory, create=True):
            return f"emulator:{directory}"
    options = "--link", f"{directory}.port", "--control", f"{directory}.control"
    stack.enter_context(emulated(directory, *options))
    return f"{directory}.port"


def _admitted(administrator: Administrator, port: str) -> tuple[ndks.JoinRequest, int]:
    with ndks.open(port) as unit:
        request = unit.join_request(network="office")
    return request, administrator.admit(request.serial_number)


def _enrol(administrator: Administrator, port: str, request: ndks.JoinRequest, lane: int, bundle: Bundle) -> None:
    package = seal_member(administrator, request, lane, bundle)
    with ndks.open(port) as unit:
        unit.enrol(package)
        unit.unlock()
        (notice, *_) = bundle.notices_for(unit.hint(bundle.g))
        unit.notice(bundle.g, notice)
    Membership("office", package.tick, administrator.keys.public).save(request.serial_number)


@contextlib.contextmanager
def lossy(count: int, loss: float, seed: int = 1) -> Iterator[list[list[str]]]:
    """Carry datagrams between `count` agents, and lose some; yield the carriers of each."""
    chance = random.Random(seed)
    with contextlib.ExitStack() as stack:
        hubs = [stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(count)]
        for hub in hubs:
            hub.bind(("127.0.0.1", 0))
        ports = [free_port() for _ in range(count)]
        is_ended = threading.Event()

        def carry(number: int) -> None:
            hubs[number].settimeout(_SLICE)
            while not is_ended.is_set():
                with contextlib.suppress(OSError):
                    packet = hubs[number].recv(1 << 16)
                    for other, port in enumerate(ports):
                        if other != number and chance.random() >= loss:
                            hubs[number].sendto(packet, ("127.0.0.1", port))

        threads = [threading.Thread(target=carry, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        try:
            yield [
                [f"udp://127.0.0.1:{port}?peer=127.0.0.1:{hub.getsockname()[1]}"]
                for port, hub in zip(ports, hubs, strict=True)
            ]
        finally:
            is_ended.set()
            for thread in threads:
                thread.join()
