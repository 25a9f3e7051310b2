# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A network with an administrator, and emulated units that are its members, each behind a service of its own."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from support.control import Control
from support.emulate_process import emulated
from support.serve_process import ServeProcess, served

import ndks
from ndks.driver.network_verbs import NetworkUnit
from ndks.network.administration import Administration
from ndks.network.administrator import Administrator
from ndks.network.bundle import Bundle
from ndks.network.member_package import seal_member
from ndks.network.network_file import Network


@dataclass
class Member:
    """A unit behind a service."""

    serial_number: str
    lane: int
    port: str  # of the unit itself
    control: Control  # of its cable
    _service: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    service: ServeProcess | None = None

    def serve(self) -> None:
        self.service = self._service.enter_context(served(self.port, "--timeout", "2"))

    def kill_service(self) -> None:
        self._service.close()
        self.service = None

    @property
    def gate(self) -> str:
        assert self.service
        return self.service.port("gate")

    def enter(self, bundle: Bundle) -> None:
        """Let the unit enter a generation, as its agent does."""
        assert self.service
        with ndks.open(self.service.port("agent")) as unit:
            (notice, *_) = bundle.notices_for(unit.hint(bundle.g))
            unit.notice(bundle.g, notice)

    def renew(self) -> int:
        """Begin the next epoch, and return it."""
        assert self.service
        with ndks.open(self.service.port("agent")) as unit:
            unit.tick(16)
            return NetworkUnit(unit).renew()

    def close(self) -> None:
        self._service.close()


class Founded:
    """A network of as many members as are asked for, all in its first generation."""

    def __init__(self, directory: Path, stack: contextlib.ExitStack, count: int) -> None:
        self.administrator = Administrator(Administration(Network.new("office", cipher="aes"), secrets.token_bytes(32)))
        ports = [_plugged(directory / f"unit{number}", stack) for number in range(count)]
        asked = [_admitted(self.administrator, port) for port in ports]
        bundle = self.administrator.issue()
        self.members: list[Member] = []
        for number, (port, (request, lane)) in enumerate(zip(ports, asked, strict=True)):
            _enrol(self.administrator, port, request, lane, bundle)
            member = Member(request.serial_number, lane, port, Control(directory / f"unit{number}.control"))
            stack.callback(member.close)
            member.serve()
            self.members.append(member)


@contextlib.contextmanager
def founded(directory: Path, count: int = 2) -> Iterator[Founded]:
    """Found a network; all processes end with the block."""
    with contextlib.ExitStack() as stack:
        yield Founded(directory, stack, count)


def _plugged(directory: Path, stack: contextlib.ExitStack) -> str:
    stack.enter_context(emulated(directory, "--link", f"{directory}.port", "--control", f"{directory}.control"))
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
