# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""All that a homologation has measured, as its requirements are judged by it: stage by stage."""

from collections.abc import Mapping
from dataclasses import dataclass

from ndks.network.network_file import Network
from ndks_laboratory.outcome import Outcome
from ndks_laboratory.stages.recorded_keys import RecordedKeys
from ndks_laboratory.stages.regular_channel import RegularChannel

from .attack import Finding
from .measurements import Defined, LongKey, Sensitivity, Symbol


@dataclass(frozen=True)
class Attacks:
    """What adversaries found, by their labels, and what they had for it."""

    findings: Mapping[str, Finding]  # their outcomes are final
    unable: frozenset[str]  # those who, at this d, do not even break bare paper in time
    threshold: float  # for a single p-value
    keys_seen: int
    long_bits_seen: int


@dataclass(frozen=True)
class KeyMeasures:
    """What was measured of keys."""

    sensitivity: Sensitivity
    symbol: Symbol
    evenness: float  # empirical entropy of a long key's bytes, in bits a bit
    long_key: LongKey
    defined: Defined


@dataclass(frozen=True)
class Erasure:
    """What the units say of themselves at the end, and whether secrets are still in their flash."""

    states: tuple[str, ...]
    flash: Outcome


@dataclass(frozen=True)
class Evidence:
    """What the two units have shown."""

    network: Network
    no_channel: RecordedKeys
    regular: RegularChannel
    attacks: Attacks
    keys: KeyMeasures
    erasure: Erasure
