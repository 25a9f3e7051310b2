# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Fixtures for boards and units in memory."""

from pathlib import Path

import pytest
from hosts.memory import Host

from ndks_emulator import MemoryUnit

from .peer import Peer
from .stand_ins import Chip


@pytest.fixture(scope="module")
def bound() -> MemoryUnit:
    """A unit in memory that is a member, to be cloned."""
    host = Host()
    host.provision()
    return host.unit


@pytest.fixture
def laptop(bound: MemoryUnit) -> Host:
    """The laptop of a bound unit that has just started. There is no session yet."""
    laptop = Host(bound.clone(), opens=False)
    laptop.restart()
    return laptop


@pytest.fixture
def peer() -> Peer:
    """A new member, on lane 1."""
    return Peer()


@pytest.fixture
def chip(tmp_path: Path) -> Chip:
    """A new board with the firmware, plugged in."""
    chip = Chip(tmp_path)
    chip.boot()
    return chip
