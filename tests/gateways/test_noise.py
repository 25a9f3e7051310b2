# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Noise, against the package `noiseprotocol` as the other end."""

import random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from noise.connection import Keypair, NoiseConnection

from ndks_gateways.tunnel.errors import Forged
from ndks_gateways.tunnel.noise import Noise, hkdf, message_size

PATTERNS = ("XXpsk0+psk2", "NNpsk0")


class Other:
    """The same interface as Noise, of the other implementation."""

    def __init__(self, pattern: str, is_initiator: bool, prologue: bytes, static: bytes, psks: list[bytes]) -> None:
        self.noise: Any = NoiseConnection.from_name(f"Noise_{pattern}_25519_AESGCM_SHA256".encode())
        self.noise.set_psks(psks=psks)
        (self.noise.set_as_initiator if is_initiator else self.noise.set_as_responder)()
        self.noise.set_prologue(prologue)
        if pattern.startswith("XX"):
            self.noise.set_keypair_from_private_bytes(Keypair.STATIC, static)
        self.noise.start_handshake()
        self._initiates = is_initiator

    def write(self, payload: bytes) -> bytes:
        return bytes(self.noise.write_message(payload))

    def read(self, message: bytes) -> bytes:
        return bytes(self.noise.read_message(message))

    @property
    def h(self) -> bytes:
        return self.noise.get_handshake_hash()

    def split(self) -> tuple[bytes, bytes]:
        """Return the keys from initiator to responder, and back."""
        keys = self.noise.noise_protocol.cipher_state_encrypt.k, self.noise.noise_protocol.cipher_state_decrypt.k
        return keys if self._initiates else keys[::-1]


def pair(rng: random.Random, pattern: Any) -> tuple[Noise, Noise]:
    """Return two ends that know the same."""
    prologue, psks = rng.randbytes(20), [rng.randbytes(32) for _ in range(pattern.count("psk"))]
    ends = [Noise(pattern, first, prologue, static=X25519PrivateKey.generate()) for first in (True, False)]
    for end in ends:
        end.psks += psks
    return ends[0], ends[1]


def talk(initiator: Any, responder: Any, messages: int, rng: random.Random) -> list[bytes]:
    sent: list[bytes] = []
    for number in range(messages):
        writer, reader = (initiator, responder) if number % 2 == 0 else (responder, initiator)
        payload = rng.randbytes(rng.choice((0, 1, 20, 300)))
        sent.append(writer.write(payload))
        assert reader.read(sent[-1]) == payload
    return sent


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("is_initiator", [True, False])
def test_the_other_implementation_agrees(pattern: Any, is_initiator: bool) -> None:
    rng = random.Random(1)
    for _ in range(20):
        prologue, theirs = rng.randbytes(rng.randrange(200)), rng.randbytes(32)
        psks = [rng.randbytes(32) for _ in range(pattern.count("psk"))]
        ours = X25519PrivateKey.from_private_bytes(rng.randbytes(32))
        own = Noise(pattern, is_initiator, prologue, ours)
        own.psks += psks
        other = Other(pattern, not is_initiator, prologue, theirs, list(psks))
        talk(*((own, other) if is_initiator else (other, own)), 3 if pattern.startswith("XX") else 2, rng)
        assert own.h == other.h
        assert own.split(3)[:2] == other.split()
        if pattern.startswith("XX"):
            static = X25519PrivateKey.from_private_bytes(theirs).public_key().public_bytes_raw()
            assert own.remote_static == static


@pytest.mark.parametrize("pattern", PATTERNS)
def test_sizes_are_foretold(pattern: Any) -> None:
    initiator, responder = pair(random.Random(2), pattern)
    for number in range(3 if pattern.startswith("XX") else 2):
        writer, reader = (initiator, responder) if number % 2 == 0 else (responder, initiator)
        message = writer.write(bytes(20))
        reader.read(message)
        assert len(message) == message_size(pattern, number, 20)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_is_altered_or_cut_is_refused(pattern: Any) -> None:
    rng = random.Random(3)
    messages = 3 if pattern.startswith("XX") else 2
    for number in range(messages):
        for _ in range(40):
            initiator, responder = pair(rng, pattern)
            talk(initiator, responder, number, rng)
            writer, reader = (initiator, responder) if number % 2 == 0 else (responder, initiator)
            message = bytearray(writer.write(b"text"))
            position = rng.randrange(len(message))
            bit = 1 << rng.randrange(7)  # the top bit of a public key's last byte is not part of the point
            message[position] ^= bit
            with pytest.raises(Forged):
                reader.read(bytes(message) if rng.random() < 0.7 else bytes(message[:position]))


@pytest.mark.parametrize("which", ["psk0", "psk2", "prologue"])
def test_both_ends_must_know_the_same(which: str) -> None:
    rng = random.Random(4)
    initiator, responder = pair(rng, "XXpsk0+psk2")
    if which == "prologue":
        responder = Noise("XXpsk0+psk2", False, b"another", X25519PrivateKey.generate())
        responder.psks += initiator.psks
    else:
        responder.psks[int(which == "psk2")] = rng.randbytes(32)
    first = initiator.write(b"")
    if which == "psk2":
        responder.read(first)
        with pytest.raises(Forged):
            initiator.read(responder.write(b""))
    else:
        with pytest.raises(Forged):
            responder.read(first)


def test_a_public_key_of_low_order_is_refused() -> None:
    """An ephemeral key of zeros, from one who knows the pre-shared key."""
    initiator, responder = pair(random.Random(5), "NNpsk0")

    class Zero:
        def public_key(self) -> Any:
            return self

        def public_bytes_raw(self) -> bytes:
            return bytes(32)

    initiator._ephemeral = Zero()  # type: ignore[assignment]
    responder.read(initiator.write(b""))
    with pytest.raises(Forged):
        responder.write(b"")


def test_more_keys_begin_with_those_of_noise() -> None:
    assert hkdf(bytes(32), b"", 3)[:2] == hkdf(bytes(32), b"", 2)
