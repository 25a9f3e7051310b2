# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Memberships that are sealed to the joining key of a unit."""

from collections.abc import Callable

from x25519_reference import public_key, x25519

from ndks.crypto import CRYPTO
from ndks.driver.unit import Unit
from ndks.network.network_file import Network
from ndks_protocol import commands
from ndks_protocol.fields import pack
from ndks_protocol.sealed_package import seal


def package_for(network: Network, lane: int, joining_key: bytes, private: bytes) -> bytes:
    """Return a membership on that lane; `private` is the ephemeral key of the one who seals it."""
    fields = pack(commands.MEMBERSHIP, *network.membership(lane))
    return seal(CRYPTO, x25519(private, joining_key), public_key(private), joining_key, fields)


def join_by(package: bytes) -> Callable[[Unit], str]:
    """Return how a unit joins by a package, as the host does it once it has read the package from a file."""
    return lambda host: host._enter(commands.PROVISION_SEALED, (package,))
