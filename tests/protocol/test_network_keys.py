# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys of members, generations and epochs: golden vectors, and any keys against the reference."""

from typing import Any

import network_reference as reference
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.reference import load_vectors

from ndks_protocol.capsule import header_keys
from ndks_protocol.control import ladder
from ndks_protocol.network_id import control_key, generation_id, network_id
from protocol.plain_crypto import CRYPTO

VECTORS = load_vectors("network_keys")
ROOT = bytes.fromhex(VECTORS["root"])

keys = st.binary(min_size=32, max_size=32)


def member_key(root: bytes, lane: int, g: int) -> bytes:
    return ladder.ratchet(CRYPTO, ladder.first_member_key(CRYPTO, root, lane), ladder.NEXT_MEMBER_KEY, g)


@pytest.mark.parametrize("case", VECTORS["members"], ids=lambda case: f"{case['lane']}, {case['g']}")
def test_published_member_keys(case: dict[str, Any]) -> None:
    key = member_key(ROOT, case["lane"], case["g"])
    assert key.hex() == case["member_key"]
    assert ladder.hint_of(CRYPTO, key).hex() == case["hint"]


@pytest.mark.parametrize("case", VECTORS["generations"], ids=lambda case: case["g"])
def test_published_generations(case: dict[str, Any]) -> None:
    secret = bytes.fromhex(case["secret"])
    assert header_keys(CRYPTO, secret).hex() == case["header_mac_key"] + case["header_mask_key"]
    control = control_key(CRYPTO, secret)
    assert control.hex() == case["control_key"]
    assert generation_id(CRYPTO, control).hex() == case["generation_id"]
    for epoch in case["epochs"]:
        at = ladder.ratchet(CRYPTO, secret, ladder.NEXT_EPOCH, epoch["number"])
        assert at.hex() == epoch["secret"]
        p1, p2 = epoch["p1"], epoch["p2"]
        if epoch["epoch"]:
            assert ladder.parameters_of(CRYPTO, at) == (p1, p2)
        assert network_id(CRYPTO, at, 1, case["d"], p1, p2, case["f1"], case["f2"]).hex() == epoch["network_id"]


@given(keys, st.integers(1, 0xFFEF), st.integers(0, 300))
def test_any_member_key(root: bytes, lane: int, g: int) -> None:
    key = member_key(root, lane, g)
    assert key == reference.member_key(root, lane, g)
    assert ladder.hint_of(CRYPTO, key) == reference.hint(key)


@given(keys, st.integers(0, 300))
def test_any_epoch(secret: bytes, number: int) -> None:
    at = ladder.ratchet(CRYPTO, bytearray(secret), ladder.NEXT_EPOCH, number)
    assert at == reference.epoch_secret(secret, number)
    assert ladder.parameters_of(CRYPTO, at) == reference.parameters(at)


def test_a_long_way_feeds_the_watchdog() -> None:
    """4096 steps take a board 4 s, half of what its watchdog allows; it is fed at least every second of them."""
    fed: list[None] = []
    ladder.ratchet(CRYPTO, bytes(32), ladder.NEXT_EPOCH, 4096, lambda: fed.append(None))
    assert len(fed) >= 4
