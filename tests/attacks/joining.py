# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A blank unit that asks to join, gets a package, and opens it."""

import contextlib
import secrets
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
from host.watched_line import Wrap

import ndks
from ndks.crypto import CRYPTO, EphemeralKey
from ndks.driver.unit import open_port
from ndks.line.link import Link
from ndks.line.session import open_anonymous_session
from ndks_protocol import commands
from ndks_protocol.sealed_package import seal

from . import attackers
from .attackers import Loot
from .recording import Recording
from .scene import flash_of, of_network, tapped

_LANE = 1
_SECONDS = 60.0


@dataclass(frozen=True)
class Joining:
    """What attackers can get hold of: the package, the line, and flash while the joining key waits and afterwards."""

    package: bytes
    recording: Recording
    waiting: list[bytes]
    afterwards: list[bytes]
    truth: Loot

    def won(self, loot: Loot) -> set[str]:
        return {name for name, value in loot.items() if value == self.truth[name]}


def joined(directory: Path, monkeypatch: pytest.MonkeyPatch, between: Wrap = lambda line: line) -> Joining:
    """Let a new unit join, and record it; an attacker may be `between` laptop and unit."""
    network, code, recording = ndks.Network.new("office"), secrets.token_bytes(32), list[tuple[str, bytes]]()
    unit = directory / "joining unit"
    with tapped(recording, monkeypatch, between), link_to(f"emulator:{unit}") as link:
        (public,) = link.call(commands.JOINING_KEY)
        waiting, package = flash_of(unit), sealed_to(public, network)
        open_anonymous_session(link, link.call_raw(commands.HELLO))
        link.call(commands.PROVISION_SEALED, code, package)
    truth = of_network(network) | {attackers.CODE: code}
    return Joining(package, recording, waiting, flash_of(unit), truth)


def sealed_to(joining_key: bytes, network: ndks.Network) -> bytes:
    """Return a package as an administrator makes it."""
    suite, cipher = commands.SUITES.index(network.suite), commands.CIPHERS.index(network.cipher)
    parameters = (network.digits, network.secret, network.name, network.p1, network.p2, *network.operators)
    fields = commands.MEMBERSHIP_LAYOUT.pack(network.epoch, _LANE, suite, cipher, *parameters)
    ephemeral = EphemeralKey()
    return seal(CRYPTO, ephemeral.shared(joining_key), ephemeral.public, joining_key, fields)


@contextlib.contextmanager
def link_to(port: str) -> Generator[Link]:
    """Open a line to a unit, which starts."""
    with contextlib.closing(Link(open_port(port, _SECONDS, create=True), _SECONDS)) as link:
        yield link
