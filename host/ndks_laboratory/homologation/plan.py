# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a homologation is to do, with whom, and how much of it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ndks.network.network_file import Network

PRIMAL_BITS = 192_000_000  # the paper's table 2
FAULTS = P1, TAMPER = "p1", "tamper"  # one decimal of p1 is altered in Bob's copy; a bit of a message is, on the line


@dataclass(frozen=True)
class UnitPorts:
    """Where the units are, and where the flash of each can be read, None where it cannot.

    `copy_flash` is called while the units are members and their ports closed, where somebody has to copy it then: None
    where what is read is always as it is.
    """

    ports: tuple[str, str]
    flash: tuple[Path | None, Path | None] = (None, None)
    copy_flash: Callable[[], object] | None = None


@dataclass(frozen=True)
class Sample:
    """How much is looked at."""

    keys: int = 2000  # for the adversaries
    long_bits: int = 1 << 22  # of one key, for them
    letters: int = 64  # in stage 2
    primal_bits: int = PRIMAL_BITS  # of the longest key


@dataclass(frozen=True)
class HomologationPlan:
    """All of it."""

    units: UnitPorts
    directory: Path
    network: Network
    sample: Sample = Sample()
    seed: int = field(default_factory=lambda: secrets.randbits(32))
    fault: str = ""  # one of FAULTS, to show that the test can fail
