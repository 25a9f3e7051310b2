# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Sealed capsules equal those of the reference implementation, and open to the same data."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference import data_of, message

from ndks.network.network_file import Network
from ndks_protocol.capsule import CHUNK, FIRST_PIECE, Keys, MessageKeys, Sealer
from ndks_protocol.commands import CIPHERS, MAX_KEY_BYTES, SUITES
from ndks_protocol.errors import UnitError
from ndks_protocol.generator import Generator
from protocol.capsules import (
    BINDING_ID,
    NETWORK_NAMES,
    NETWORKS,
    keys_of,
    new_header,
    opened,
    pieces_of,
    reference_capsule,
    sealed,
)
from protocol.plain_crypto import CRYPTO

MEGABYTE = 1 << 20

each_network = pytest.mark.parametrize("network", NETWORKS, ids=NETWORK_NAMES)
lanes = st.integers(2, 65535)
numbers = st.integers(1, (1 << 48) - 1)
salts = st.binary(min_size=8, max_size=8)
near_borders = st.builds(lambda chunks, more: max(0, CHUNK * chunks + more), st.integers(0, 8), st.integers(-20, 20))
sizes = st.one_of(st.integers(0, 8192), near_borders)


def data_of_size(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@each_network
@settings(max_examples=30)
@given(lane=lanes, number=numbers, salt=salts, size=sizes)
def test_sealed_as_by_the_reference(network: Network, lane: int, number: int, salt: bytes, size: int) -> None:
    data = data_of_size(size)
    expected = message(network, lane, number, data, salt=salt, binding_id=BINDING_ID).capsule
    assert sealed(network, new_header(network, lane, number, salt), data) == expected
    assert opened(network, expected) == data


@settings(max_examples=30)
@given(
    network=st.sampled_from(NETWORKS),
    digits=st.integers(1, 12),
    decimals=st.integers(10**39, 10**40 - 1),
    secret=st.binary(min_size=32, max_size=32),
    data=st.binary(max_size=300),
)
def test_networks_of_any_parameters(network: Network, digits: int, decimals: int, secret: bytes, data: bytes) -> None:
    p1, p2 = f"0.{decimals}", f"{10 + decimals % 90}.{decimals}"
    network = replace(network, digits=digits, p1=p1, p2=p2, secret=secret)
    capsule = sealed(network, new_header(network, 9, 1), data)
    assert data_of(network, capsule, BINDING_ID) == data


@pytest.mark.parametrize("suite", SUITES)
@settings(max_examples=15)
@given(number=numbers, size=st.one_of(st.integers(0, MEGABYTE), st.just(MEGABYTE)))
def test_aes_up_to_a_megabyte(suite: str, number: int, size: int) -> None:
    network = replace(NETWORKS[0], suite=suite, cipher="aes")
    data = data_of_size(size)
    assert opened(network, sealed(network, new_header(network, 2, number), data)) == data


def test_vernam_with_a_megabyte() -> None:
    """8 Mbit of paper bits need seconds, so both ends share them."""
    network = replace(NETWORKS[0], suite="hybrid", cipher="vernam")
    data = data_of_size(MEGABYTE)
    header = new_header(network, 2, 77)
    paper = Generator(network.p1, network.p2, network.digits).key(header.index).read(0, 8 * (MEGABYTE + 16))

    def keys() -> MessageKeys:
        return MessageKeys(CRYPTO, network.secret, header, BINDING_ID, lambda at, size: paper[at : at + size])

    capsule = sealed(network, header, data, keys())
    assert len(capsule) == 37 + MEGABYTE + 16 + 16 * (MEGABYTE // CHUNK + 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("protocol.capsules.keys_of", lambda *_: keys())
        assert opened(network, capsule) == data


@each_network
@given(size=sizes, repeats=st.lists(st.integers(0, 8), max_size=6), data=st.data())
@settings(max_examples=30)
def test_pieces_asked_for_again_are_the_same(
    network: Network, size: int, repeats: list[int], data: st.DataObject
) -> None:
    """A host repeats a piece after a lost answer; repeating any recent piece does not affect later pieces."""
    text = data_of_size(size)
    header, pieces = new_header(network, 2, 5), pieces_of(text)
    sealer = Sealer(CRYPTO, keys_of(network, header))
    chunks: list[bytes] = []
    for i, piece in enumerate(pieces):
        chunks.append(sealer.seal(i, int(i == len(pieces) - 1), piece))
        for back in repeats:
            j = max(0, i - back)
            assert sealer.seal(j, int(j == len(pieces) - 1), pieces[j]) == chunks[j]
    assert b"".join(chunks) == reference_capsule(network, 5, text)[37:]


@pytest.mark.parametrize("suite", SUITES)
@settings(max_examples=30)
@given(size=st.integers(0, 3000), cuts=st.lists(st.integers(0, 3015), max_size=8), again=st.integers(0, 3000))
def test_keystream_in_any_pieces(suite: str, size: int, cuts: list[int], again: int) -> None:
    """A host in mode a may read the keystream in any pieces, and repeat any range."""
    network = replace(NETWORKS[0], suite=suite, cipher="vernam")
    sent = message(network, 2, 6, bytes(size), binding_id=BINDING_ID)
    keys = keys_of(network, new_header(network, 2, 6))
    edges = sorted({0, size + 16, *(min(cut, size + 16) for cut in cuts)})
    for start, end in pairwise(edges):
        assert keys.keystream(start, end - start) == sent.z[start:end]
        again = min(again, end)
        assert keys.keystream(again, end - again) == sent.z[again:end]
    assert keys.check(size) == keys.check(size) == sent.check


def test_keystream_out_of_order_is_refused() -> None:
    keys = keys_of(NETWORKS[2], new_header(NETWORKS[2], 2, 6))
    keys.keystream(0, 40)
    for offset, size in ((41, 1), (39, 2), (0, 41)):
        with pytest.raises(UnitError, match="CONFLICT"):
            keys.keystream(offset, size)
    with pytest.raises(UnitError, match="RANGE"):
        keys.keystream(MAX_KEY_BYTES, 1)


@pytest.mark.parametrize("size", [0, 15, 40, 100])
def test_the_check_value_of_another_size_than_was_covered_is_refused(size: int) -> None:
    keys = keys_of(NETWORKS[2], new_header(NETWORKS[2], 2, 6))
    keys.keystream(0, 40)  # 8 bytes of sync word, 24 of data, 8 of the key check value
    with pytest.raises(UnitError, match="CONFLICT"):
        keys.check(size)


def test_one_message_has_one_check_value() -> None:
    keys = keys_of(NETWORKS[3], new_header(NETWORKS[3], 2, 6))
    keys.check(10)
    with pytest.raises(UnitError, match="CONFLICT"):
        keys.check(11)


class ZeroKeys(Keys):
    """Keys without a keystream, for large chunk numbers."""

    tag_key = bytes(32)
    sync = bytes(8)

    def apply(self, offset: int, text: memoryview) -> None:
        pass

    def check(self, size: int) -> bytes:
        return bytes(8)


def test_chunk_numbers_end_at_32_bits() -> None:
    sealer = Sealer(CRYPTO, ZeroKeys())
    assert len(sealer.seal((1 << 32) - 2, 1, bytes(CHUNK))) == 2 * 16 + CHUNK + 8
    assert len(sealer.seal((1 << 32) - 1, 0, bytes(CHUNK))) == 16 + CHUNK
    assert len(sealer.seal((1 << 32) - 1, 1, bytes(CHUNK - 8))) == 16 + CHUNK
    with pytest.raises(UnitError, match="RANGE"):
        sealer.seal((1 << 32) - 1, 1, bytes(CHUNK))


@each_network
def test_the_last_piece_may_need_two_chunks(network: Network) -> None:
    for size in range(FIRST_PIECE - 9, FIRST_PIECE + 1):
        chunks = Sealer(CRYPTO, keys_of(network, new_header(network, 2, 6))).seal(0, 1, bytes(size))
        assert len(chunks) == size + 16 + (16 if size + 16 <= CHUNK else 32)


def test_ciphers_are_numbered_as_in_the_vectors() -> None:
    assert (SUITES, CIPHERS) == (("paper", "hybrid"), ("vernam", "aes"))
