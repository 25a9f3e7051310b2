# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Capsules from PROTOCOL.md section 4 alone: nothing of the project is imported here."""

import functools
import hashlib
import hmac
import json
import struct
from pathlib import Path
from typing import NamedTuple

import mpmath  # pyright: ignore[reportMissingTypeStubs]
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from generator_reference import F1, F2, bits_of_key

VECTORS = Path(__file__).parents[2] / "protocol" / "vectors"
PAPER, HYBRID = 0, 1
VERNAM, AES = 0, 1
CHUNK, WIRE_CHUNK, WIRE_HEADER = 1024, 1040, 37
WINDOW, MAX_JUMP = 256, 1 << 20
NOT_KNOWN = bytes(16)  # binding id


class Network(NamedTuple):
    secret: bytes
    p1: str
    p2: str
    digits: int
    f1: str = F1[0]
    f2: str = F2[0]

    @property
    def operators(self) -> bytes:
        return bytes([F1.index(self.f1), F2.index(self.f2)])


def derive(key: bytes, label: str, context: bytes = b"") -> bytes:
    return hmac.digest(key, label.encode() + b"\0" + context, hashlib.sha256)


def aes_ctr(key: bytes, iv: bytes, text: bytes) -> bytes:
    return Cipher(algorithms.AES256(key), modes.CTR(iv)).encryptor().update(text)


def xor(first: bytes, second: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(first, second, strict=True))


@functools.lru_cache(maxsize=64)
def paper_bytes(network: Network, k: int, size: int) -> bytes:
    """Return the paper bits of key k; equation 7 by cos((e + 1) y1) = 2 cos(y1) cos(e y1) - cos((e - 1) y1).

    With 600 fractional bits: after n steps the error is below n^2 ulp, far from any doubt about a digit.
    """
    if any(network.operators):
        return bytes.fromhex(bits_of_key(*network[1:4], k, 0, 8 * size, *network[4:]))
    places = 600
    one = 1 << places
    with mpmath.workprec(1100):
        y1 = mpmath.mpf(network.p2) * mpmath.sin(mpmath.mpf(network.p1) * k)
        step = int(mpmath.ldexp(mpmath.cos(y1), places))
    before, now = step, one
    bits = bytearray()
    for _ in range(8 * size):
        y3 = (10**network.digits * abs(now) + one // 2) >> places
        bits.append(ord("0") + y3 % 2)
        before, now = now, (2 * step * now >> places) - before
    return int(bits or b"0", 2).to_bytes(size)


def clear_header(
    suite: int, cipher: int, lane: int, number: int, salt: bytes, *, version: int = 1, kind: int = 0, zero: int = 0
) -> bytes:
    return struct.pack(">BBBBBQ", version, suite, cipher, kind, zero, lane << 48 | number) + salt


def masked_header(secret: bytes, clear: bytes) -> bytes:
    tag = hmac.digest(derive(secret, "ndks header mac"), clear, hashlib.sha256)[:16]
    return clear[:1] + tag + aes_ctr(derive(secret, "ndks header mask"), tag, clear[1:])


def chunk(tag_key: bytes, number: int, last: int, body: bytes) -> bytes:
    return body + hmac.digest(tag_key, struct.pack(">IB", number, last) + body, hashlib.sha256)[:16]


def chunks(tag_key: bytes, ciphertext: bytes) -> list[bytes]:
    count = -(-len(ciphertext) // CHUNK)
    bodies = [ciphertext[CHUNK * i : CHUNK * (i + 1)] for i in range(count)]
    return [chunk(tag_key, i, int(i == count - 1), body) for i, body in enumerate(bodies)]


class Message:
    """A message and all values derived for it, with the names of section 4.

    `paper` replaces its paper bits. `first_secret` is that from which the header keys derive, if it is another one.
    """

    def __init__(
        self,
        network: Network,
        clear: bytes,
        data: bytes,
        binding_id: bytes = NOT_KNOWN,
        paper: bytes | None = None,
        first_secret: bytes | None = None,
    ):
        suite, cipher, k = clear[1], clear[2], int.from_bytes(clear[5:13])
        used = 8 + len(data) if cipher == VERNAM else 32
        size = used + 8 if cipher == VERNAM else 32
        paper = paper_bytes(network, k, size) if paper is None else paper[:size]
        mask = aes_ctr(derive(network.secret, "ndks capsule mask", clear), bytes(16), bytes(size))
        self.aes_key = b""
        self.header = masked_header(first_secret or network.secret, clear)
        self.z = xor(paper, mask) if suite == HYBRID else paper
        if cipher == AES:
            self.aes_key = self.z
        self.tag_key = derive(network.secret, "ndks capsule auth", clear)
        self.sync = derive(network.secret, "ndks sync", clear + binding_id)[:8]
        self.check = derive(network.secret, "ndks check", clear + hashlib.sha256(paper[:used]).digest())[:8]
        text = self.sync + data + self.check
        self.ciphertext = xor(text, self.z) if cipher == VERNAM else aes_ctr(self.z, bytes(16), text)
        self.chunks = chunks(self.tag_key, self.ciphertext)
        self.capsule = self.header + b"".join(self.chunks)

    def forged(self, position: int) -> bytes:
        """Return a capsule with one bit changed and correct tags, as only a member can make it."""
        ciphertext = bytearray(self.ciphertext)
        ciphertext[position] ^= 1
        return self.header + b"".join(chunks(self.tag_key, bytes(ciphertext)))


def pattern(size: int) -> bytes:
    """Return data for the vectors. Because 251 is prime, no two chunks are equal."""
    return bytes(i % 251 for i in range(size))


def suite_network() -> Network:
    values = json.loads((VECTORS / "suite.json").read_text())["network"]
    return Network(bytes.fromhex(values["secret"]), values["p1"], values["p2"], values["d"])
