# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Adversaries of a network: a thief, and those who replay, forge, wear out and copy."""

from ..active.trial import ActiveAdversary
from .beacons import ForgedBeacons
from .bundles import ForgedBundles
from .network_flash import NetworkFlash
from .thief import NetworkThief
from .wear import Wear

# The thief comes last: whoever he has stolen is no longer a member.
ADVERSARIES: tuple[ActiveAdversary, ...] = (
    ForgedBeacons("N1", "forged and replayed beacons"),
    ForgedBundles("N2", "forged bundles"),
    Wear("N3", "a member that wears flash out"),
    NetworkFlash("N4", "recording of the network plus flash copy"),
    NetworkThief("N5", "thief with unit, laptop and recording"),
)

__all__ = ("ADVERSARIES",)
