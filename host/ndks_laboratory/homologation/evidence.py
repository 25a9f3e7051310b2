# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Evidence of a homologation, by which its requirements are judged."""

from collections.abc import Mapping
from dataclasses import dataclass

from ndks.network.network_file import Network
from ndks_laboratory.outcome import Outcome
from ndks_laboratory.stages.recorded_keys import RecordedKeys
from ndks_laboratory.stages.regular_channel import RegularChannel

from .attack import Finding
from .measurements import Defined, LongKey, Sensitivity, Symbol
from .networks.evidence import NetworkEvidence


@dataclass(frozen=True)
class Attacks:
    """The findings of adversaries by label, and the size of their data."""

    findings: Mapping[str, Finding]  # with final outcomes
    unable: frozenset[str]  # labels of adversaries that do not break even bare paper in time at this d
    threshold: float  # of a single p-value
    keys_seen: int
    long_bits_seen: int


@dataclass(frozen=True)
class KeyMeasures:
    """Measurements of keys."""

    sensitivity: Sensitivity
    symbol: Symbol
    evenness: float  # empirical entropy of a long key's bytes, in bits per bit
    long_key: LongKey
    defined: Defined


@dataclass(frozen=True)
class Erasure:
    """The states of the units after the erasure, and the outcome of the search in their flash."""

    states: tuple[str, ...]
    flash: Outcome


@dataclass(frozen=True)
class Evidence:
    """All evidence of two units, and of a network of all units if there are three or more."""

    network: Network
    no_channel: RecordedKeys
    regular: RegularChannel
    attacks: Attacks
    keys: KeyMeasures
    erasure: Erasure
    of_network: NetworkEvidence | None = None
