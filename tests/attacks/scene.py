# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What attackers can get hold of, and what is true: of a unit made now, and of one recorded under protocol 2.0."""

import contextlib
import json
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from host.watched_line import Wrap, wrap_lines
from session_reference import Binding, binding_of
from support.reference import flash_images

import ndks
from ndks.keys.offline_keys import exported_key
from ndks.laptop.bindings import BindingStore
from ndks_protocol.flash import SNAPSHOT_FILES

from . import attackers
from .attackers import KEY_SIZE, Loot
from .ephemerals import noted_ephemerals
from .recording import HOST, UNIT, Recording, TappedLine, exchanges
from .sessions import Keys

PRESENT, RECORDED_PROTOCOL = "present", "2.0"
RECORDED = Path(__file__).with_name("recorded_2_0.json")
LETTER = b"the bridge at noon, and nobody else"
_LOOK = (("board", "a laptop"),)
_KEYS = {attackers.KEY: 1, attackers.NEXT_KEY: 2}  # their indices


@dataclass(frozen=True)
class Scene:
    """A unit's provisioning and binding, a later session with its laptop, and its flash after that."""

    protocol: str  # PRESENT or RECORDED_PROTOCOL
    provisioning: Recording
    session: Recording
    images: list[bytes]  # nvm and both snapshots
    host_secret: bytes
    truth: Loot
    privates: dict[str, Keys] = field(default_factory=dict)  # ephemeral ones of HOST and UNIT, which no attacker has

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


def played(directory: Path, monkeypatch: pytest.MonkeyPatch, between: Wrap = lambda line: line) -> Scene:
    """Let a new unit be provisioned, bound and used, and record it; an attacker may be `between` host and unit."""
    port, store, network = f"emulator:{directory / 'unit'}", laptop(directory), ndks.Network.new("office")
    provisioning: Recording = []
    session: Recording = []
    with noted_ephemerals(monkeypatch) as privates:
        with tapped(provisioning, monkeypatch, between), ndks.open(port, create=True, bindings=store) as unit:
            code = unit.provision(network, 1)
            unit.bind(code)
            salt = bytes.fromhex(unit.hello.salt)
        with tapped(session, monkeypatch, between), ndks.open(port, bindings=store) as unit:
            key = unit.next_key(8 * KEY_SIZE).data
            unit.seal(LETTER, mode="b")
    host_secret = bytes.fromhex((store.directory / "host_secret").read_text())
    binding = binding_of(host_secret, salt, b"board=a laptop\n")
    truth = of_network(network) | {
        attackers.CODE: code,
        attackers.BINDING: binding,
        attackers.KEK: Binding(binding).kek,
        attackers.MESSAGE: LETTER,
    }
    assert key == truth[attackers.KEY]
    by_side = {HOST: frozenset(privates[HOST]), UNIT: frozenset(privates[UNIT])}
    return Scene(PRESENT, provisioning, session, flash_of(directory / "unit"), host_secret, truth, by_side)


def of_network(network: ndks.Network) -> Loot:
    """Return what is true of a network: its secret, and two keys of the common lane."""
    keys = {name: exported_key(network, index, KEY_SIZE) for name, index in _KEYS.items()}
    return {attackers.SECRET: network.secret} | keys


def flash_of(unit: Path) -> list[bytes]:
    """Return a copy of an emulated unit's flash: nvm and both snapshots."""
    return [(unit / name).read_bytes() for name in ("nvm.bin", *SNAPSHOT_FILES) if (unit / name).exists()]


@contextlib.contextmanager
def tapped(recording: Recording, monkeypatch: pytest.MonkeyPatch, between: Wrap = lambda line: line) -> Generator[None]:
    """Record every line that is opened in the block, on the host's side of what is `between`."""
    with monkeypatch.context() as patch:
        wrap_lines(patch, lambda line: TappedLine(between(line), recording))
        yield


def recorded() -> Scene:
    """Return what was recorded of a unit and a host of protocol 2.0."""
    values = json.loads(RECORDED.read_text())
    truth = {name: bytes.fromhex(value) for name, value in values["truth"].items()}
    lines = _line(values["provisioning"]), _line(values["session"])
    return Scene(RECORDED_PROTOCOL, *lines, flash_images(values["flash"]), bytes.fromhex(values["host_secret"]), truth)


def _line(pieces: list[Any]) -> Recording:
    return [(sender, bytes.fromhex(data)) for sender, data in pieces]
