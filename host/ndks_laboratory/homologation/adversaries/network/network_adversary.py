# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What the adversaries of a network have in common."""

from ndks_laboratory.homologation.adversaries.active.trial import ActiveAdversary
from ndks_laboratory.homologation.attack import NETWORK


class NetworkAdversary(ActiveAdversary):
    """An adversary who needs a network."""

    needs = frozenset({NETWORK})


def altered(packet: bytes, place: int) -> bytes:
    """Return a packet with one bit of a byte altered."""
    return packet[:place] + bytes([packet[place] ^ 1]) + packet[place + 1 :]
