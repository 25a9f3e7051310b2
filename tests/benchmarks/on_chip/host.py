# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The host of a unit on an emulated chip: the product's own line, with the cost of each request."""

import os
from collections import defaultdict
from dataclasses import replace
from typing import Any

from support.public_network import public_network

from ndks.crypto import CRYPTO
from ndks.line.link import Link
from ndks.line.session import open_anonymous_session, open_session
from ndks_protocol import commands
from ndks_protocol.binding import BINDING_SIZE, BindingKeys
from ndks_protocol.commands import Command

from . import protocol_2
from .chip_unit import ChipUnit, Cost

LANE = 1
_TIMEOUT = 3600.0  # seconds of the PC, whose time does not matter


class Host(Link):
    """It has got the answer to HELLO, `start_seconds` after power-on."""

    def __init__(self, unit: ChipUnit) -> None:
        super().__init__(unit, _TIMEOUT)
        self.unit = unit
        self.costs: dict[str, list[Cost]] = defaultdict(list)  # by the names of commands
        self.requests = 0
        self.hello()
        self.start_seconds = unit.chip.nanoseconds / 1e9

    def call(self, command: Command, *values: Any) -> Any:
        self.requests += 1
        before = self.unit.cost
        answer = super().call(command, *values)
        self.costs[command.name].append(self.unit.cost - before)
        return answer

    def stream(self, command: Command, requests: list[tuple[object, ...]]) -> Cost:
        """Send each request before the answer to the one before, as streams do; return what all of them cost."""
        before = self.unit.cost
        for _ in self.call_each(command, requests):
            pass
        return self.unit.cost - before

    def hello(self) -> bytes:
        """Return the payload of the answer."""
        return commands.HELLO.answer.pack(*self.call(commands.HELLO))

    def provision(self, digits: int) -> None:
        """Make the unit a member of the public test network, but with other digits."""
        self.network = network = replace(public_network(), digits=digits)
        suite, cipher = commands.SUITES.index(network.suite), commands.CIPHERS.index(network.cipher)
        parameters = (digits, network.secret, network.name, network.p1, network.p2, *network.operators)
        self._binding = os.urandom(BINDING_SIZE)
        hello = self.hello()
        if hello[0] != protocol_2.MAJOR:
            open_anonymous_session(self, hello)
        self.call(commands.PROVISION, self._binding, network.epoch, LANE, suite, cipher, *parameters)
        self.end_session()

    def enter_by(self, command: Command, package: bytes) -> None:
        """Make the unit a member by a package, in an anonymous session, which this ends."""
        self._binding = os.urandom(BINDING_SIZE)
        self.call(command, self._binding, package)
        self.end_session()

    def bind(self) -> None:
        """Bind the unit to another laptop, which is this host too."""
        self._binding = os.urandom(BINDING_SIZE)
        self.call(commands.BIND, self._binding)

    def start_session(self) -> None:
        hello = self.hello()
        opened = protocol_2.open_session if hello[0] == protocol_2.MAJOR else open_session
        opened(self, hello, BindingKeys(CRYPTO, self._binding))

    def renew_session(self, pause: float = 1.0) -> None:
        """Close the session, and open one after a pause of so many seconds, in which the unit makes a key pair."""
        self.call(commands.CLOSE, 0)
        self.end_session()
        self.unit.pause(pause)
        self.start_session()
