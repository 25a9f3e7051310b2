# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packets on their way to the carriers."""

import logging
from collections.abc import Iterable

from ...carriers.carrier import Carrier
from ...network.bundle import BUNDLE, BadBundle, Bundle
from ..pieces import split

_log = logging.getLogger(__name__)

_HEADER = 13  # bytes of a piece before its part of the packet


def publish(carriers: Iterable[Carrier], packet: bytes, *, passing: bool = False) -> None:
    """Send a packet through all carriers, in pieces where they take only those."""
    bundle = bundle_in(packet)
    generation = bundle.g if bundle else None
    for carrier in carriers:
        parts = split(packet, carrier.largest - _HEADER) if carrier.largest else [packet]
        if not all(carrier.send(part, generation, passing=passing) for part in parts):
            _log.debug("%s: too much waits; others ask for it again", carrier.url)


def bundle_in(packet: bytes) -> Bundle | None:
    """Return the bundle if a packet is one, None for other packets."""
    if packet[:1] != bytes([BUNDLE]):
        return None
    try:
        return Bundle.parse(packet)
    except BadBundle:
        return None
