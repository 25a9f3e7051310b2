# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Lists of all adversaries; docs/attacks.md describes them."""

from ..attack import Adversary
from .active import ADVERSARIES
from .autocorrelation import Autocorrelation
from .ciphertext_only import CiphertextOnly
from .decimal_grid import DecimalGrid
from .float_units import FloatUnits
from .frequency import Frequency
from .key_reuse import KeyReuse
from .network import ADVERSARIES as OF_NETWORKS
from .parameters import Parameters
from .statistician import Statistician

PASSIVE: tuple[Adversary, ...] = (
    CiphertextOnly(),
    Frequency(),
    Autocorrelation(),
    DecimalGrid(),
    Parameters(),
    FloatUnits(),
    KeyReuse(),
    Statistician(),
)
ACTIVE: tuple[Adversary, ...] = tuple(ADVERSARIES)
NETWORK: tuple[Adversary, ...] = tuple(OF_NETWORKS)  # need three or more units


def small_grid() -> Adversary:
    """Return the adversary of a small grid that contains the paper's p1 and p2, for controls."""
    return DecimalGrid(p1_decimals=3, p2_limit=100)
