# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys by another way than the product's: mpmath for equation 7, hmac and cryptography for the mask."""

import hashlib
import hmac
import json
import struct
from pathlib import Path
from typing import Any

import mpmath
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ndks.network import Network

VECTORS = Path(__file__).parents[2] / "protocol" / "vectors"


def load_vectors(name: str) -> dict[str, Any]:
    return json.loads((VECTORS / f"{name}.json").read_text())


def paper_bits(p1: str, p2: str, digits: int, k: int, first: int, count: int) -> list[int]:
    """Equation 7 as the paper writes it, in floating point precise enough for every parameter of its ranges."""
    with mpmath.workprec(1400):
        y1 = mpmath.mpf(p2) * mpmath.sin(mpmath.mpf(p1) * k)
        y2 = (abs(mpmath.cos(y1 * e)) for e in range(first, first + count))
        return [int(mpmath.floor(10**digits * value + mpmath.mpf("0.5"))) % 2 for value in y2]


def packed(bits: list[int]) -> bytes:
    text = "".join(map(str, bits))
    size = -(-len(bits) // 8)
    return int(text.ljust(8 * size, "0") or "0", 2).to_bytes(size)


def exported_key(network: Network, k: int, offset: int, size: int) -> bytes:
    """Bytes offset to offset + size - 1 of an exported key."""
    bits = paper_bits(network.p1, network.p2, network.digits, k, 8 * offset, 8 * size)
    mask = _mask(network.secret, k, offset, size) if network.suite == "hybrid" else bytes(size)
    return bytes(a ^ b for a, b in zip(packed(bits), mask, strict=True))


def _mask(secret: bytes, k: int, offset: int, size: int) -> bytes:
    key = hmac.digest(secret, b"ndks export mask\0" + struct.pack(">Q", k), hashlib.sha256)
    block, skip = divmod(offset, 16)
    keystream = Cipher(algorithms.AES256(key), modes.CTR(block.to_bytes(16))).encryptor()
    return keystream.update(bytes(skip + size))[skip:]
