# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Memberships that are sealed to the joining key of a unit."""

from x25519_reference import public_key, x25519

from ndks.crypto import CRYPTO
from ndks.network.network_file import Network
from ndks_protocol import commands
from ndks_protocol.sealed_package import seal


def package_for(network: Network, lane: int, joining_key: bytes, private: bytes) -> bytes:
    """Return a membership on that lane; `private` is the ephemeral key of the one who seals it."""
    suite, cipher = commands.SUITES.index(network.suite), commands.CIPHERS.index(network.cipher)
    parameters = (network.digits, network.secret, network.name, network.p1, network.p2, *network.operators)
    fields = commands.PROVISION.request.pack(bytes(32), network.epoch, lane, suite, cipher, *parameters)[32:]
    return seal(CRYPTO, x25519(private, joining_key), public_key(private), joining_key, fields)
