# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The stage: the units join a network of their own, live in it, and are attacked in it; then they are erased."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ndks_laboratory.homologation.plan import HomologationPlan
from ndks_laboratory.homologation.provisioning import UnitGroup
from ndks_laboratory.outcome import Check

from .checks import made
from .joining import joining
from .late import late
from .renewal import renewal
from .roles import roles
from .scene import Scene

Part = Callable[[Scene], Iterator[Check]]

PARTS: dict[str, Part] = {"joining": joining, "roles": roles, "late": late, "renewal": renewal}


@dataclass(frozen=True)
class NetworkEvidence:
    """The checks of each part, and what the network was: units, ticks that passed, packets and bytes on the channel.

    `states` are those of the units after the erasure.
    """

    checks: Mapping[str, tuple[Check, ...]]
    units: int
    ticks: int
    packets: int
    size: int
    states: tuple[str, ...] = ()
