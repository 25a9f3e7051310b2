# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What adversaries of a network have in common."""

from ndks_laboratory.homologation.adversaries.active.trial import ActiveAdversary
from ndks_laboratory.homologation.attack import NETWORK


class NetworkAdversary(ActiveAdversary):
    """An adversary who needs a network."""

    needs = frozenset({NETWORK})
