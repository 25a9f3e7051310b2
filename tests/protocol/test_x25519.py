# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of X25519 against RFC 7748, the published vectors and `cryptography`."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import x25519_reference
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from support.reference import load_vectors

from ndks_protocol.x25519 import BASE_POINT, Ladder, LowOrderPoint, x25519

RFC_7748 = json.loads((Path(__file__).parents[1] / "micropython/cases/rfc7748.json").read_text())
VECTORS = load_vectors("x25519")
P = x25519_reference.P
ROUNDS = 255
MOST_DIVISIONS = 370  # Euclid's algorithm on 255 bits: 255 / log2(golden ratio), and some

numbers = st.binary(min_size=32, max_size=32)
coordinates = numbers.filter(lambda u: u.hex() not in VECTORS["low_order"])


def multiply(scalar: bytes, u: bytes) -> bytes:
    return x25519(scalar, u, os.urandom(32), lambda: None)


def by_cryptography(scalar: bytes, u: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(scalar).exchange(X25519PublicKey.from_public_bytes(u))


def finished(ladder: Ladder, rounds: int = 1) -> Ladder:
    while ladder.step(rounds):
        pass
    return ladder


def held_by(ladder: Ladder) -> list[int]:
    """Return all integers and bytes that a ladder holds, in one list."""
    found: list[int] = []
    for value in vars(ladder).values():
        found += value if isinstance(value, (tuple, bytes, bytearray)) else [value]
    return found


@pytest.mark.parametrize("case", RFC_7748["product"] + VECTORS["products"])
def test_published_products(case: dict[str, Any]) -> None:
    assert multiply(bytes.fromhex(case["scalar"]), bytes.fromhex(case["u"])).hex() == case["product"]


def test_the_exchange_of_the_rfc() -> None:
    (case,) = RFC_7748["exchange"]
    for own, others in (("first", "second"), ("second", "first")):
        private = bytes.fromhex(case[f"{own}_private"])
        assert multiply(private, BASE_POINT).hex() == case[f"{own}_public"]
        assert multiply(private, bytes.fromhex(case[f"{others}_public"])).hex() == case["shared"]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=pytest.mark.timeout(7200), id=str(case["times"]))
        for case in RFC_7748["iterated"]
        if case["times"] <= 1000 or os.environ.get("NDKS_TEST_FULL")
    ],
)
def test_the_iterations_of_the_rfc(case: dict[str, Any]) -> None:
    k = u = BASE_POINT
    for _ in range(case["times"]):
        k, u = multiply(k, u), k
    assert k.hex() == case["product"]


@given(numbers, numbers)
def test_public_keys_and_shared_secrets(first: bytes, second: bytes) -> None:
    public = X25519PrivateKey.from_private_bytes(second).public_key().public_bytes_raw()
    assert multiply(second, BASE_POINT) == public
    assert multiply(first, public) == by_cryptography(first, public)


@given(numbers, coordinates)
def test_any_coordinate(scalar: bytes, u: bytes) -> None:
    """Half of them lie on the twist."""
    assert multiply(scalar, u) == by_cryptography(scalar, u)


@given(numbers, st.integers(2, 18), st.sampled_from((0, 1 << 255)))
def test_coordinates_that_are_not_canonical(scalar: bytes, above: int, ignored_bit: int) -> None:
    u = (P + above | ignored_bit).to_bytes(32, "little")
    assert multiply(scalar, u) == multiply(scalar, above.to_bytes(32, "little")) == by_cryptography(scalar, u)


@given(numbers, st.integers(0, 7), st.integers(0, 3))
def test_scalars_are_clamped(scalar: bytes, low: int, high: int) -> None:
    changed = bytes([scalar[0] & 0xF8 | low, *scalar[1:31], scalar[31] & 0x3F | high << 6])
    assert multiply(changed, BASE_POINT) == multiply(scalar, BASE_POINT)


@pytest.mark.parametrize("u", VECTORS["low_order"])
def test_points_of_low_order_are_refused(u: str) -> None:
    for scalar in (bytes(32), b"\xff" * 32, os.urandom(32)):
        assert x25519_reference.x25519(scalar, bytes.fromhex(u)) == bytes(32)
        with pytest.raises(LowOrderPoint):
            multiply(scalar, bytes.fromhex(u))


def test_the_blind_alters_all_coordinates_but_no_result() -> None:
    scalar, u = os.urandom(32), os.urandom(32)
    first, second = Ladder(scalar, u, os.urandom(32)), Ladder(scalar, u, os.urandom(32))
    for _ in range(ROUNDS):
        first.step()
        second.step()
        assert not set(first._points) & set(second._points) - {0}
    assert finished(first).result() == finished(second).result()


@pytest.mark.parametrize("blind", [bytes(32), b"\xff" * 32, (P - 1).to_bytes(32, "little"), P.to_bytes(32, "little")])
def test_no_blind_is_zero(blind: bytes) -> None:
    assert x25519(b"\x55" * 32, BASE_POINT, blind, lambda: None) == by_cryptography(b"\x55" * 32, BASE_POINT)


@pytest.mark.parametrize("rounds", [1, 2, 4, 7, 254, 255, 256, 1000])
def test_steps_of_any_size(rounds: int) -> None:
    scalar, u = os.urandom(32), os.urandom(32)
    ladder = Ladder(scalar, u, os.urandom(32))
    steps = 1
    while ladder.step(rounds):
        steps += 1
    assert ladder.result() == by_cryptography(scalar, u)
    assert steps <= -(-ROUNDS // rounds) + -(-MOST_DIVISIONS // (20 * rounds))


def test_a_step_after_the_last_one_changes_nothing() -> None:
    ladder = finished(Ladder(b"\x55" * 32, BASE_POINT, bytes(32)))
    product = ladder.result()
    assert not ladder.step()
    assert ladder.result() == product


def test_the_callback_is_called_all_the_time() -> None:
    calls: list[None] = []
    x25519(b"\x55" * 32, BASE_POINT, bytes(32), lambda: calls.append(None))
    assert len(calls) >= ROUNDS // 16


def test_the_scalar_of_the_caller_is_left_alone() -> None:
    scalar = bytearray(os.urandom(32))
    before = bytes(scalar)
    finished(Ladder(scalar, BASE_POINT, bytes(32))).wipe()
    assert scalar == before


def test_the_scalar_is_gone_after_the_last_round() -> None:
    ladder = Ladder(b"\x55" * 32, BASE_POINT, b"\x77" * 32)
    assert any(ladder._changes)
    kept = ladder._changes
    ladder.step(ROUNDS)
    assert ladder._changes is kept
    assert not any(kept)


def test_a_wiped_ladder_holds_only_its_public_input() -> None:
    ladder = Ladder(b"\x55" * 32, BASE_POINT, b"\x77" * 32)
    ladder.step(100)
    kept = ladder._changes
    ladder.wipe()
    assert not any(kept)
    assert set(held_by(ladder)) <= {0, 9, 154}


@pytest.mark.parametrize("sizes", [(31, 32, 32), (32, 33, 32), (32, 32, 0), (0, 0, 0)])
def test_wrong_sizes_are_refused(sizes: tuple[int, int, int]) -> None:
    scalar, u, blind = (bytes(size) for size in sizes)
    with pytest.raises(ValueError, match="32 bytes"):
        Ladder(scalar, u, blind)
