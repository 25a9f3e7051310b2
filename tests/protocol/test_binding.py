# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of binding keys: golden vectors, and independence of the keys."""

import itertools

from hypothesis import given
from hypothesis import strategies as st
from session_reference import Binding, binding_of
from support.reference import load_vectors

from ndks_protocol.binding import BINDING_SIZE, ID_SIZE, BindingKeys
from protocol.plain_crypto import CRYPTO

VECTORS = load_vectors("bindings")
SUITE = load_vectors("suite")["binding"]

secrets = st.binary(min_size=BINDING_SIZE, max_size=BINDING_SIZE)


def test_published_bindings() -> None:
    for vector in VECTORS["laptops"] + VECTORS["transport_codes"]:
        keys = BindingKeys(CRYPTO, bytes.fromhex(vector["B"]))
        assert (keys.auth.hex(), keys.kek.hex(), keys.id.hex()) == (vector["A"], vector["KEK"], vector["id"])


def test_the_binding_of_another_implementation() -> None:
    keys = BindingKeys(CRYPTO, bytes.fromhex(SUITE["B"]))
    assert (keys.auth.hex(), keys.kek.hex(), keys.id.hex()) == (SUITE["A"], SUITE["KEK"], SUITE["binding_id"])


def test_the_published_bindings_agree_with_that_of_another_implementation() -> None:
    """The code that made the vectors also reproduces this published binding."""
    host_secret, salt = bytes.fromhex(SUITE["host_secret"]), bytes.fromhex(SUITE["unit_salt"])
    assert binding_of(host_secret, salt, SUITE["fingerprint"].encode()).hex() == SUITE["B"]


def test_each_published_laptop_has_another_binding() -> None:
    assert len({vector["B"] for vector in VECTORS["laptops"]}) == len(VECTORS["laptops"])


@given(secrets)
def test_any_binding(binding: bytes) -> None:
    keys, expected = BindingKeys(CRYPTO, binding), Binding(binding)
    assert (keys.auth, keys.kek, keys.id) == (expected.auth, expected.kek, expected.id)
    assert len(keys.id) == ID_SIZE
    parts = (binding, keys.auth, keys.kek, keys.id)
    assert all(a[:ID_SIZE] != b[:ID_SIZE] for a, b in itertools.combinations(parts, 2))


@given(secrets, st.integers(0, 8 * BINDING_SIZE - 1))
def test_one_bit_of_a_binding_changes_all_its_keys(binding: bytes, bit: int) -> None:
    changed = (int.from_bytes(binding) ^ 1 << bit).to_bytes(BINDING_SIZE)
    first, second = BindingKeys(CRYPTO, binding), BindingKeys(CRYPTO, changed)
    assert first.auth != second.auth
    assert first.kek != second.kek
    assert first.id != second.id
