# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""All that a homologation has measured, as its requirements are judged by it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ndks.network.network_file import Network
from ndks_laboratory.stages.no_channel import NoChannel
from ndks_laboratory.stages.regular_channel import RegularChannel

from .attack import Finding
from .measurements import Defined, LongKey, Symbol


@dataclass(frozen=True)
class ChangedDecimal:
    """In how many bits the keys of both units differ when one decimal of the paper's p1 does."""

    place: int
    bits: int
    differ: int


@dataclass(frozen=True)
class Evidence:
    """What the two units have shown."""

    network: Network
    no_channel: NoChannel
    regular: RegularChannel
    findings: Mapping[str, Finding]  # by the label of the attacker; `succeeded` is final
    unable: frozenset[str]  # attackers who, at this d, do not even break bare paper in time
    threshold: float  # for a single p-value
    changed_decimal: ChangedDecimal
    distances: Mapping[str, npt.NDArray[np.int64]]
    distance_limits: tuple[int, int]
    symbol: Symbol
    word_entropy: float
    long_key: LongKey
    defined: Defined
    erased: tuple[str, ...]  # states of the units at the end
    left_in_flash: tuple[str, ...] | None  # secrets that are still there then; None if that cannot be said
    keys_seen: int  # by attackers
    long_bits_seen: int
