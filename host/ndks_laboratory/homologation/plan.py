# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The plan of a homologation: units, sample sizes and options."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ndks.network.network_file import Network

from .experts.expert_finding import ExpertFinding

PRIMAL_BITS = 192_000_000  # the paper's table 2
PCAP = "tap.pcap"  # the record of the channel, in the plan's directory
# Alter a decimal of p1 in Bob's copy, or a bit of a message on the line, or do not revoke the stolen unit.
FAULTS = P1, TAMPER, UNREVOKED = "p1", "tamper", "unrevoked"


@dataclass(frozen=True)
class UnitPorts:
    """The ports of two or more units, and the paths of the flash of the first two (None if it cannot be read).

    `copy_flash` asks somebody to copy the flash; it is called while the units are members and their ports are closed.
    It is None if the paths always show the current flash. `open_case` tells a person what to do with a case, and waits.
    """

    ports: tuple[str, ...]
    flash: tuple[Path | None, Path | None] = (None, None)
    copy_flash: Callable[[], object] | None = None
    open_case: Callable[[str], object] | None = None


@dataclass(frozen=True)
class Experts:
    """What human experts found: known when the test begins, or heard from them while the units are members.

    `hear` is called when the tap's record lies in the plan's directory, with the serial numbers under test.
    """

    known: tuple[ExpertFinding, ...] = ()
    hear: Callable[[Sequence[str]], Sequence[ExpertFinding]] | None = None

    def all(self, serial_numbers: Sequence[str]) -> tuple[ExpertFinding, ...]:
        """Return all findings."""
        return (*self.known, *(self.hear(serial_numbers) if self.hear else ()))


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
    experts: Experts = Experts()
