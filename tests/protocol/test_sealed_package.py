# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of sealed packages: golden vectors, what is refused, and what one changed bit does."""

import os
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from package_vectors import Package
from support.reference import load_vectors

from ndks_protocol import sealed_package
from ndks_protocol.curve25519 import LowOrderPoint, in_one_call
from ndks_protocol.kdf import same
from ndks_protocol.sealed_package import OVERHEAD, CutShort, NotForThisKey, ephemeral_of, seal, unseal
from ndks_protocol.x25519 import Ladder
from protocol.plain_crypto import CRYPTO

VECTORS = load_vectors("packages")
REASONS = {"SHORT": CutShort, "KEY": NotForThisKey, "LOW_ORDER": LowOrderPoint}

keys = st.binary(min_size=32, max_size=32)


def in_bytes(case: dict[str, str], *names: str) -> list[bytes]:
    return [bytes.fromhex(case[name]) for name in names]


def opened(private_key: bytes, joining_key: bytes, sealed: bytes) -> bytes:
    """Return the fields of a package as a unit does."""
    shared = in_one_call(Ladder(private_key, ephemeral_of(sealed), os.urandom(32)), lambda: None)
    return bytes(unseal(CRYPTO, shared, joining_key, sealed))


def sealed_by_a_host(joining_key: bytes, fields: bytes) -> bytes:
    """Return the fields sealed with a fresh ephemeral key of `cryptography`."""
    ephemeral = X25519PrivateKey.generate()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(joining_key))
    return seal(CRYPTO, shared, ephemeral.public_key().public_bytes_raw(), joining_key, fields)


@pytest.mark.parametrize("case", VECTORS["good"])
def test_published_packages(case: dict[str, Any]) -> None:
    shared, ephemeral, joining_key = in_bytes(case, "z", "ephemeral_key", "joining_key")
    fields, sealed, private_key = in_bytes(case, "fields", "sealed", "private_key")
    assert seal(CRYPTO, shared, ephemeral, joining_key, fields) == sealed
    assert len(sealed) == OVERHEAD + len(fields)
    assert opened(private_key, joining_key, sealed) == fields


@pytest.mark.parametrize("case", VECTORS["bad"])
def test_published_refusals(case: dict[str, Any]) -> None:
    with pytest.raises(REASONS[case["why"]]):
        opened(*in_bytes(case, "private_key", "joining_key", "sealed"))


@given(keys, keys, st.binary(max_size=300))
def test_any_package(private_key: bytes, ephemeral: bytes, fields: bytes) -> None:
    case = Package(private_key, ephemeral, fields).described()
    shared, ephemeral_key, joining_key, sealed = in_bytes(case, "z", "ephemeral_key", "joining_key", "sealed")
    assert seal(CRYPTO, shared, ephemeral_key, joining_key, fields) == sealed
    assert opened(private_key, joining_key, sealed) == fields
    assert bytes(unseal(CRYPTO, shared, joining_key, memoryview(sealed))) == fields


@given(st.binary(max_size=40), st.data())
def test_one_changed_bit_is_refused(fields: bytes, data: st.DataObject) -> None:
    unit = X25519PrivateKey.generate()
    joining_key = unit.public_key().public_bytes_raw()
    sealed = bytearray(sealed_by_a_host(joining_key, fields))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((NotForThisKey, LowOrderPoint)):
        opened(unit.private_bytes_raw(), joining_key, bytes(sealed))


@given(st.binary(max_size=40), st.data())
def test_a_package_that_was_cut_is_refused(fields: bytes, data: st.DataObject) -> None:
    unit = X25519PrivateKey.generate()
    joining_key = unit.public_key().public_bytes_raw()
    sealed = sealed_by_a_host(joining_key, fields)
    size = data.draw(st.integers(0, len(sealed) - 1))
    with pytest.raises(CutShort if size < OVERHEAD else NotForThisKey):
        opened(unit.private_bytes_raw(), joining_key, sealed[:size])


@given(keys, st.binary(max_size=200))
def test_any_bytes_are_refused(private_key: bytes, sealed: bytes) -> None:
    with pytest.raises(tuple(REASONS.values())):
        opened(private_key, bytes(32), sealed)


def test_nothing_is_released_before_the_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    """No keystream is made, and all of the tag is compared, in constant time."""
    case = VECTORS["good"][4]
    shared, joining_key, sealed = in_bytes(case, "z", "joining_key", "sealed")
    compared: list[int] = []

    def watched(first: bytes, second: bytes) -> bool:
        compared.append(len(first))
        return same(first, second)

    monkeypatch.setattr(sealed_package, "same", watched)
    monkeypatch.setattr(sealed_package, "xor_keystream", lambda *_: pytest.fail("decrypted"))
    for position in (1, 16):
        with pytest.raises(NotForThisKey):
            unseal(CRYPTO, shared, joining_key, sealed[:-position] + bytes(position))
    assert compared == [16, 16]


def test_a_package_has_keys_of_its_own() -> None:
    """The same fields for the same unit: no byte in common but by chance."""
    joining_key = X25519PrivateKey.generate().public_key().public_bytes_raw()
    first, second = (sealed_by_a_host(joining_key, bytes(200)) for _ in range(2))
    assert first[:32] != second[:32]
    assert sum(a == b for a, b in zip(first[32:], second[32:], strict=True)) < 20
