# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Exported keys computed from a network file, without a unit (PROTOCOL.md section 3)."""

from ndks_protocol.exported import export_mask_key
from ndks_protocol.kdf import xor_keystream

from ..crypto import CRYPTO
from ..network.network_file import Network


def exported_key(network: Network, index: int, size: int, *, offset: int = 0) -> bytes:
    """Return `size` bytes of an exported key, from byte `offset` on. ValueError for an invalid index."""
    from .generator import VectorGenerator  # here, because NumPy is slow to import

    bits = VectorGenerator.of(network).key(index).read(8 * offset, 8 * size)
    if network.suite != "paper":
        xor_keystream(CRYPTO, export_mask_key(CRYPTO, network.secret, index), offset, bits)
    return bytes(bits)
