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

    directory: Path  # of the unit
    serial_number: str = ""
    lane: int = 0
    _unit: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _service: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    service: ServeProcess | None = None

    @property
    def port(self) -> str:
        """The port of the unit itself."""
        return f"{self.directory}.port"

    @property
    def control(self) -> Control:
        """That of its cable."""
        return Control(Path(f"{self.directory}.control"))

    def plug(self) -> None:
        options = ("--link", self.port, "--control", f"{self.directory}.control")
        self._unit.enter_context(emulated(self.directory, *options))

    def kill_unit(self) -> None:
        """End the unit as a power cut does, whatever it does."""
        self._unit.close()

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
        self._unit.close()


class Founded:
    """A network of as many members as are asked for, all in its first generation."""

    def __init__(self, directory: Path, stack: contextlib.ExitStack, count: int) -> None:
        self.administrator = Administrator(Administration(Network.new("office", cipher="aes"), secrets.token_bytes(32)))
        self.members = [Member(directory / f"unit{number}") for number in range(count)]
        for member in self.members:
            stack.callback(member.close)
            member.plug()
        asked = [_admitted(self.administrator, member) for member in self.members]
        bundle = self.administrator.issue()
        for member, request in zip(self.members, asked, strict=True):
            _enrol(self.administrator, member, request, bundle)
            member.serve()


@contextlib.contextmanager
def founded(directory: Path, count: int = 2) -> Iterator[Founded]:
    """Found a network; all processes end with the block."""
    with contextlib.ExitStack() as stack:
        yield Founded(directory, stack, count)


def _admitted(administrator: Administrator, member: Member) -> ndks.JoinRequest:
    with ndks.open(member.port) as unit:
        request = unit.join_request(network="office")
    member.serial_number, member.lane = request.serial_number, administrator.admit(request.serial_number)
    return request


def _enrol(administrator: Administrator, member: Member, request: ndks.JoinRequest, bundle: Bundle) -> None:
    package = seal_member(administrator, request, member.lane, bundle)
    with ndks.open(member.port) as unit:
        unit.enrol(package)
        unit.unlock()
        (notice, *_) = bundle.notices_for(unit.hint(bundle.g))
        unit.notice(bundle.g, notice)
