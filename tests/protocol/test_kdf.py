# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of key derivation and masks against hmac, hashlib and AES in one call."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from ndks_protocol.exported import export_mask_key, is_exportable
from ndks_protocol.kdf import Mac, derive, same, wipe, xor_keystream
from protocol.plain_crypto import CRYPTO

keys = st.binary(min_size=32, max_size=32)


@given(st.binary(max_size=64), st.binary(max_size=200))
def test_hmac(key: bytes, message: bytes) -> None:
    assert Mac(CRYPTO, key).digest(message) == hmac.digest(key, message, hashlib.sha256)


def test_keys_longer_than_a_block_are_refused() -> None:
    with pytest.raises(ValueError, match="longer"):
        Mac(CRYPTO, bytes(65))


@given(keys, st.text("abc ", max_size=20), st.binary(max_size=60))
def test_derive(key: bytes, label: str, context: bytes) -> None:
    assert derive(CRYPTO, key, label, context) == hmac.digest(key, label.encode() + b"\0" + context, hashlib.sha256)


@given(keys, st.integers(0, 2**37), st.binary(max_size=100))
def test_mask_from_any_offset(key: bytes, offset: int, data: bytes) -> None:
    start = max(0, offset - 50)
    stream = Cipher(algorithms.AES256(key), modes.CTR((start // 16).to_bytes(16))).encryptor()
    skip = offset - start // 16 * 16
    expected = stream.update(bytes(skip + len(data)))[skip:]
    masked = bytearray(data)
    xor_keystream(CRYPTO, key, offset, masked)
    assert masked == bytes(a ^ b for a, b in zip(data, expected, strict=True))


def test_each_index_has_a_mask_of_its_own() -> None:
    assert len({export_mask_key(CRYPTO, bytes(32), k) for k in range(1, 200)}) == 199


def test_which_indices_are_exported() -> None:
    assert [is_exportable(k) for k in (0, 1, 2**48 - 1, 2**48, 2**48 + 1)] == [False, True, True, False, False]


@given(st.binary(max_size=64), st.lists(st.binary(max_size=80), max_size=5))
def test_hmac_of_a_message_in_parts(key: bytes, parts: list[bytes]) -> None:
    mac = Mac(CRYPTO, key)
    expected = hmac.digest(key, b"".join(parts), hashlib.sha256)
    assert mac.digest(*parts) == expected
    assert mac.digest(*(memoryview(part) for part in parts)) == expected  # the object can be used again


@given(st.binary(max_size=100))
def test_a_wiped_buffer_is_zeros_of_the_same_size(data: bytes) -> None:
    buffer = bytearray(data)
    wipe(buffer)
    assert buffer == bytes(len(data))


def test_a_wiped_mac_holds_nothing_of_its_key() -> None:
    mac = Mac(CRYPTO, b"\xa5" * 32)
    before = mac.digest(b"message")
    held = [value for value in vars(mac).values() if isinstance(value, (bytes, bytearray))]
    assert len(held) == 2
    mac.wipe()
    assert all(value == bytes(64) for value in held)  # overwritten in place
    assert mac.digest(b"message") != before


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_same(first: bytes, second: bytes) -> None:
    assert same(first, second) == (first == second)
    assert same(first, bytes(bytearray(first)))
    for position in range(len(first)):
        changed = bytearray(first)
        changed[position] ^= 0x80
        assert not same(first, bytes(changed))
