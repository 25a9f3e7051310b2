# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An independent implementation of keys and capsules: mpmath for equation 7, hmac and cryptography for the rest."""

import hashlib
import hmac
import json
import struct
from pathlib import Path
from typing import Any

import capsule_reference
import mpmath
from capsule_reference import Message
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ndks.network.network_file import Network
from ndks_protocol.commands import CIPHERS, SUITES
from ndks_protocol.flash import NVM_SIZE

VECTORS = Path(__file__).parents[2] / "protocol" / "vectors"


FIRMWARE_OF_VECTORS = (0, 1, 0)  # in their answers to HELLO, which is part of all that follows: no release alters it


def load_vectors(name: str) -> dict[str, Any]:
    return json.loads((VECTORS / f"{name}.json").read_text())


def flash_images(described: dict[str, Any]) -> list[bytes]:
    """Return nvm and the snapshots that a vector describes: FF except for these pieces."""
    return [_image(pieces) for pieces in (described["nvm"], *described["snapshots"])]


def _image(pieces: list[tuple[int, str]]) -> bytes:
    image = bytearray(b"\xff" * NVM_SIZE)
    for offset, data in pieces:
        image[offset : offset + len(data) // 2] = bytes.fromhex(data)
    return bytes(image)


# Equations 7a and 7b, and the other operators that can take their place
F1 = {
    "sinusoid": lambda p1, p2, k: p2 * mpmath.sin(p1 * k),
    "polynomial": lambda p1, p2, k: p1 * k + p2 * k**2,
    "hyperbolic": lambda p1, p2, k: p2 * mpmath.sinh(p1 * mpmath.sin(k)),
}
F2 = {
    "cosine": lambda y1, e: mpmath.cos(y1 * e),
    "cosine_square": lambda y1, e: mpmath.cos(y1 * e**2),
    "cosine_cube": lambda y1, e: mpmath.cos(y1 * e**3),
}


def paper_bits(
    p1: str, p2: str, digits: int, k: int, first: int, count: int, f1: str = "sinusoid", f2: str = "cosine"
) -> list[int]:
    """Return the bits of equation 7 as in the paper, in floating point that is precise enough for all parameters."""
    with mpmath.workprec(1400 if f1 != "hyperbolic" else 2600):
        y1 = F1[f1](mpmath.mpf(p1), mpmath.mpf(p2), k)
        y2 = (abs(F2[f2](y1, e)) for e in range(first, first + count))
        return [int(mpmath.floor(10**digits * value + mpmath.mpf("0.5"))) % 10 % 2 for value in y2]


def packed(bits: list[int]) -> bytes:
    text = "".join(map(str, bits))
    size = -(-len(bits) // 8)
    return int(text.ljust(8 * size, "0") or "0", 2).to_bytes(size)


def exported_key(network: Network, k: int, offset: int, size: int) -> bytes:
    """Return bytes offset to offset + size - 1 of an exported key."""
    parameters = network.p1, network.p2, network.digits
    bits = paper_bits(*parameters, k, 8 * offset, 8 * size, network.f1, network.f2)
    mask = _mask(network.secret, k, offset, size) if network.suite == "hybrid" else bytes(size)
    return bytes(a ^ b for a, b in zip(packed(bits), mask, strict=True))


def message(
    network: Network, lane: int, number: int, data: bytes, *, salt: bytes = bytes(8), binding_id: bytes = bytes(16)
) -> Message:
    """Return a message of the unit of this lane, with the network's cipher: header, keys, chunks and capsule."""
    suite, cipher = SUITES.index(network.suite), CIPHERS.index(network.cipher)
    clear = capsule_reference.clear_header(suite, cipher, lane, number, salt)
    return Message(_parameters(network), clear, data, binding_id)


def clear_header(network: Network, capsule: bytes) -> bytes:
    """Return the 21 unmasked bytes of the header of a capsule of this network."""
    tag, masked = capsule[1:17], capsule[17 : capsule_reference.WIRE_HEADER]
    clear = capsule[:1] + capsule_reference.aes_ctr(
        capsule_reference.derive(network.secret, "ndks header mask"), tag, masked
    )
    assert capsule_reference.masked_header(network.secret, clear) == capsule[: capsule_reference.WIRE_HEADER]
    return clear


def data_of(network: Network, capsule: bytes, binding_id: bytes = bytes(16)) -> bytes:
    """Return the data of a valid capsule."""
    clear = clear_header(network, capsule)
    size = _data_size(len(capsule))
    mask = Message(_parameters(network), clear, bytes(size), binding_id)
    ciphertext = b"".join(
        capsule[start : start + capsule_reference.WIRE_CHUNK][:-16]
        for start in range(capsule_reference.WIRE_HEADER, len(capsule), capsule_reference.WIRE_CHUNK)
    )
    # The same keystream covers zeros in the one and data in the other.
    data = capsule_reference.xor(ciphertext, mask.ciphertext)[8:-8]
    assert Message(_parameters(network), clear, data, binding_id).capsule == capsule
    return data


def _data_size(capsule_size: int) -> int:
    """Return the size of the data: without header, tags, sync word and check value."""
    chunks = capsule_size - capsule_reference.WIRE_HEADER
    return chunks - 16 * -(-chunks // capsule_reference.WIRE_CHUNK) - 16


def _parameters(network: Network) -> capsule_reference.Network:
    parameters = network.secret, network.p1, network.p2, network.digits
    return capsule_reference.Network(*parameters, network.f1, network.f2)


def _mask(secret: bytes, k: int, offset: int, size: int) -> bytes:
    key = hmac.digest(secret, b"ndks export mask\0" + struct.pack(">Q", k), hashlib.sha256)
    block, skip = divmod(offset, 16)
    keystream = Cipher(algorithms.AES256(key), modes.CTR(block.to_bytes(16))).encryptor()
    return keystream.update(bytes(skip + size))[skip:]
