# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit that chooses the same ephemeral keys in every test."""

import sys

import pytest
from hosts.memory import Host, new_flash, new_unit

from firmware.powered import SteadyEntropy
from ndks_emulator import MemoryUnit
from ndks_protocol import commands, framing
from ndks_unit.ephemeral import EphemeralPair

HELLO = framing.encode(commands.HELLO.code, 1, b"")
ROUNDS = 64  # of the computation of a public key, one per step
QUIET_MS = 31
CURVE = tuple(f"ndks_protocol.{name}" for name in ("curve25519", "public_key", "x25519"))


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what other tests have loaded: a unit keeps that."""
    for name in CURVE:
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.delattr(name, raising=False)


@pytest.fixture(scope="module")
def bound() -> MemoryUnit:
    unit = new_unit(new_flash(b"unit\1\2\3\4"), SteadyEntropy())
    Host(unit).provision()
    return unit


@pytest.fixture
def host(bound: MemoryUnit) -> Host:
    """The host of a unit that has just started, and chooses the same keys in every test."""
    host = Host(bound.clone(), opens=False)
    host.restart()
    return host


def pair_of(host: Host) -> EphemeralPair:
    return host.firmware.state.session.ephemeral
