# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What attackers can get hold of, and what is true: of a unit made now, and of one recorded under protocol 2.0."""

import contextlib
import json
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from host.watched_line import wrap_lines
from session_reference import Binding, binding_of
from support.reference import flash_images

import ndks
from ndks.laptop.bindings import BindingStore
from ndks_protocol.flash import SNAPSHOT_FILES

from . import attackers
from .attackers import KEY_SIZE, Loot
from .recording import Recording, TappedLine, exchanges

PRESENT, RECORDED_PROTOCOL = "present", "2.0"
RECORDED = Path(__file__).with_name("recorded_2_0.json")
LETTER = b"the bridge at noon, and nobody else"
_LOOK = (("board", "a laptop"),)


@dataclass(frozen=True)
class Scene:
    """A unit's provisioning and binding, a later session with its laptop, and its flash after that."""

    protocol: str  # PRESENT or RECORDED_PROTOCOL
    provisioning: Recording
    session: Recording
    images: list[bytes]  # nvm and both snapshots
    host_secret: bytes
    truth: Loot

    @property
    def auth(self) -> bytes:
        """A, which the flash has in the clear."""
        return Binding(self.truth[attackers.BINDING]).auth

    @property
    def hello(self) -> bytes:
        """The unit's answer to HELLO."""
        return next(exchanges(self.session)).answer

    def won(self, loot: Loot) -> set[str]:
        """Return the names of what an attacker has got right."""
        return {name for name, value in loot.items() if value == self.truth[name]}


def laptop(directory: Path) -> BindingStore:
    """Return the bindings of the owner's laptop."""
    return BindingStore(directory / "laptop", lambda *, with_network=False: _LOOK)


def played(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Let a new unit be provisioned, bound and used, and record it."""
    port, store, network = f"emulator:{directory / 'unit'}", laptop(directory), ndks.Network.new("office")
    provisioning: Recording = []
    session: Recording = []
    with tapped(provisioning, monkeypatch), ndks.open(port, create=True, bindings=store) as unit:
        code = unit.provision(network, 1)
        unit.bind(code)
        salt = bytes.fromhex(unit.hello.salt)
    with tapped(session, monkeypatch), ndks.open(port, bindings=store) as unit:
        key = unit.next_key(8 * KEY_SIZE).data
        unit.seal(LETTER, mode="b")
    images = [(directory / "unit" / name).read_bytes() for name in ("nvm.bin", *SNAPSHOT_FILES)]
    with ndks.open(port, bindings=store) as unit:
        next_key = unit.key(2, 8 * KEY_SIZE).data
    host_secret = bytes.fromhex((store.directory / "host_secret").read_text())
    binding = binding_of(host_secret, salt, b"board=a laptop\n")
    truth = {
        attackers.CODE: code,
        attackers.BINDING: binding,
        attackers.KEK: Binding(binding).kek,
        attackers.SECRET: network.secret,
        attackers.KEY: key,
        attackers.NEXT_KEY: next_key,
        attackers.MESSAGE: LETTER,
    }
    return Scene(PRESENT, provisioning, session, images, host_secret, truth)


@contextlib.contextmanager
def tapped(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Record every line that is opened in the block."""
    with monkeypatch.context() as patch:
        wrap_lines(patch, lambda line: TappedLine(line, recording))
        yield


def recorded() -> Scene:
    """Return what was recorded of a unit and a host of protocol 2.0."""
    values = json.loads(RECORDED.read_text())
    truth = {name: bytes.fromhex(value) for name, value in values["truth"].items()}
    lines = _line(values["provisioning"]), _line(values["session"])
    return Scene(RECORDED_PROTOCOL, *lines, flash_images(values["flash"]), bytes.fromhex(values["host_secret"]), truth)


def _line(pieces: list[Any]) -> Recording:
    return [(sender, bytes.fromhex(data)) for sender, data in pieces]
