# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The plan of a homologation: units, sample sizes and options."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ndks.network.network_file import Network

PRIMAL_BITS = 192_000_000  # the paper's table 2
FAULTS = P1, TAMPER = "p1", "tamper"  # alters a decimal of p1 in Bob's copy, or a bit of a message on the line


@dataclass(frozen=True)
class UnitPorts:
    """The ports of the units, and the paths of their flash (None if it cannot be read).

    `copy_flash` asks somebody to copy the flash; it is called while the units are members and their ports are closed.
    It is None if the paths always show the current flash.
    """

    ports: tuple[str, str]
    flash: tuple[Path | None, Path | None] = (None, None)
    copy_flash: Callable[[], object] | None = None


@dataclass(frozen=True)
class Sample:
    """The sample sizes."""

    keys: int = 2000  # for the adversaries
    long_bits: int = 1 << 22  # of one key for them
    letters: int = 64  # in stage 2
    primal_bits: int = PRIMAL_BITS  # of the longest key


@dataclass(frozen=True)
class HomologationPlan:
    """The whole plan."""

    units: UnitPorts
    directory: Path
    network: Network
    sample: Sample = Sample()
    seed: int = field(default_factory=lambda: secrets.randbits(32))
    fault: str = ""  # one of FAULTS, to demonstrate that the test can fail
