# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of X25519, of the public keys by the comb too, against RFC 7748, published vectors and `cryptography`."""

import json
import os
from pathlib import Path
from typing import Any

import edwards_reference
import pytest
import x25519_reference
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from support.reference import load_vectors

from ndks_protocol import public_key as comb
from ndks_protocol.curve25519 import LowOrderPoint, Multiplication, in_one_call
from ndks_protocol.public_key import PublicKey
from ndks_protocol.x25519 import Ladder

RFC_7748 = json.loads((Path(__file__).parents[1] / "micropython/cases/rfc7748.json").read_text())
VECTORS = load_vectors("x25519")
P, BASE_POINT = x25519_reference.P, x25519_reference.BASE_POINT
ROUNDS = 255
MOST_DIVISIONS = 370  # Euclid's algorithm on 255 bits: 255 / log2(golden ratio), and some

numbers = st.binary(min_size=32, max_size=32)
coordinates = numbers.filter(lambda u: u.hex() not in VECTORS["low_order"])


def multiply(scalar: bytes, u: bytes) -> bytes:
    return in_one_call(Ladder(scalar, u, os.urandom(32)), lambda: None)


def public_key(scalar: bytes) -> bytes:
    return in_one_call(PublicKey(scalar, os.urandom(32)), lambda: None)


def either(scalar: bytes | bytearray, blind: bytes) -> list[Multiplication]:
    """Return both multiplications of the base point."""
    return [Ladder(scalar, BASE_POINT, blind), PublicKey(scalar, blind)]


def by_cryptography(scalar: bytes, u: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(scalar).exchange(X25519PublicKey.from_public_bytes(u))


def finished(multiplication: Multiplication) -> Multiplication:
    while multiplication.step():
        pass
    return multiplication


def held_by(multiplication: Multiplication) -> set[int]:
    """Return all integers and bytes that it holds."""
    found: set[int] = set()
    for value in vars(multiplication).values():
        found |= set(value) if isinstance(value, (tuple, bytearray)) else {value}
    return found


@pytest.mark.parametrize("case", RFC_7748["product"] + VECTORS["products"])
def test_published_products(case: dict[str, Any]) -> None:
    assert multiply(bytes.fromhex(case["scalar"]), bytes.fromhex(case["u"])).hex() == case["product"]


def test_the_exchange_of_the_rfc() -> None:
    (case,) = RFC_7748["exchange"]
    for own, others in (("first", "second"), ("second", "first")):
        private = bytes.fromhex(case[f"{own}_private"])
        assert multiply(private, BASE_POINT).hex() == public_key(private).hex() == case[f"{own}_public"]
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
    assert multiply(second, BASE_POINT) == public_key(second) == public
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
    assert public_key(changed) == public_key(scalar)


@pytest.mark.parametrize("digit", ["00", "11", "55", "80", "7f", "ff", "f8", "07"])
def test_public_keys_of_regular_scalars(digit: str) -> None:
    """Their digits meet each entry of the table, with either sign, many times in a row."""
    scalar = bytes.fromhex(digit * 32)
    assert public_key(scalar) == x25519_reference.public_key(scalar)


def test_the_comb_of_the_base_point() -> None:
    assert edwards_reference.comb() == comb._TABLE


@pytest.mark.parametrize("u", VECTORS["low_order"])
def test_points_of_low_order_are_refused(u: str) -> None:
    for scalar in (bytes(32), b"\xff" * 32, os.urandom(32)):
        assert x25519_reference.x25519(scalar, bytes.fromhex(u)) == bytes(32)
        with pytest.raises(LowOrderPoint):
            multiply(scalar, bytes.fromhex(u))


def test_the_blind_alters_all_coordinates_but_no_result() -> None:
    scalar, one, other = (os.urandom(32) for _ in range(3))
    for first, second in zip(either(scalar, one), either(scalar, other), strict=True):
        while first._left:
            first.step()
            second.step()
            kept = {value for values in vars(first).values() if isinstance(values, tuple) for value in values}
            assert not {value for value in kept & held_by(second) if value > 1 << 32} - {P}
        assert finished(first).result() == finished(second).result()


@pytest.mark.parametrize("blind", [bytes(32), b"\xff" * 32, (P - 1).to_bytes(32, "little"), P.to_bytes(32, "little")])
def test_no_blind_is_zero(blind: bytes) -> None:
    for multiplication in either(b"\x55" * 32, blind):
        assert finished(multiplication).result() == by_cryptography(b"\x55" * 32, BASE_POINT)


@pytest.mark.parametrize("rounds", [1, 2, 4, 7, 254, 255, 256, 1000])
def test_steps_of_any_size(rounds: int) -> None:
    scalar = os.urandom(32)
    for multiplication in either(scalar, os.urandom(32)):
        steps, most = 1, -(-multiplication._left // rounds) + -(-MOST_DIVISIONS // (20 * rounds))
        while multiplication.step(rounds):
            steps += 1
        assert multiplication.result() == by_cryptography(scalar, BASE_POINT)
        assert steps <= most


def test_a_step_after_the_last_one_changes_nothing() -> None:
    for multiplication in either(b"\x55" * 32, bytes(32)):
        product = finished(multiplication).result()
        assert not multiplication.step()
        assert multiplication.result() == product


def test_the_callback_is_called_all_the_time() -> None:
    for multiplication in either(b"\x55" * 32, bytes(32)):
        calls: list[None] = []
        rounds = multiplication._left
        in_one_call(multiplication, lambda calls=calls: calls.append(None))
        assert len(calls) >= rounds // 16


def test_the_scalar_of_the_caller_is_left_alone() -> None:
    scalar = bytearray(os.urandom(32))
    before = bytes(scalar)
    for multiplication in either(scalar, bytes(32)):
        in_one_call(multiplication, lambda: None)
    assert scalar == before


def test_the_scalar_is_gone_after_the_last_round() -> None:
    for multiplication in either(b"\x55" * 32, b"\x77" * 32):
        kept = multiplication._scalar
        assert any(kept)
        multiplication.step(ROUNDS)
        assert multiplication._scalar is kept
        assert not any(kept)


def test_a_wiped_multiplication_holds_only_its_public_input() -> None:
    for rounds in (1, 30, 1000):
        for multiplication in either(b"\x55" * 32, b"\x77" * 32):
            multiplication.step(rounds)
            kept = multiplication._scalar
            multiplication.wipe()
            assert not any(kept)
            assert held_by(multiplication) <= {0, 9, multiplication._left}


def test_a_refused_key_is_wiped_too() -> None:
    ladder = Ladder(b"\x55" * 32, bytes(32), b"\x77" * 32)
    with pytest.raises(LowOrderPoint):
        in_one_call(ladder, lambda: None)
    assert held_by(ladder) == {0}


@pytest.mark.parametrize("sizes", [(31, 32, 32), (32, 33, 32), (32, 32, 0), (0, 0, 0)])
def test_wrong_sizes_are_refused(sizes: tuple[int, int, int]) -> None:
    scalar, u, blind = (bytes(size) for size in sizes)
    with pytest.raises(ValueError, match="32 bytes"):
        Ladder(scalar, u, blind)
    if len(u) == 32:
        with pytest.raises(ValueError, match="32 bytes"):
            PublicKey(scalar, blind)
