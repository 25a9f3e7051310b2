# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Evidence of a network."""

from collections.abc import Mapping
from dataclasses import dataclass

from ndks_laboratory.outcome import Check

LEAST_UNITS = 3
PARTS = JOINING, ROLES, LATE, RENEWAL, SYMBOLS, CONFINEMENT, THEFT, CASE = (
    *("joining", "roles", "late", "renewal", "symbols", "confinement", "theft", "case"),
)


@dataclass(frozen=True)
class NetworkEvidence:
    """The checks of each part, and what happened in the network: ticks that passed, packets and bytes on the channel.

    `states` are those of the units after the erasure.
    """

    checks: Mapping[str, tuple[Check, ...]]
    ticks: int
    packets: int
    size: int
    states: tuple[str, ...] = ()
