# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Damaged capsules: each has a named error, and no data of a wrong chunk is returned."""

import random

import capsule_reference
import pytest
from hosts.capsules import WIRE_CHUNK
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference import message

from ndks.network.network_file import Network
from ndks_protocol.capsule import Opener
from ndks_protocol.commands import WIRE_HEADER_SIZE
from ndks_protocol.errors import UnitError
from protocol.capsules import (
    BINDING_ID,
    NETWORK_NAMES,
    NETWORKS,
    chunks_of,
    keys_of,
    new_header,
    open_into,
    opened,
    reference_capsule,
)
from protocol.plain_crypto import CRYPTO

each_network = pytest.mark.parametrize("network", NETWORKS, ids=NETWORK_NAMES)
DATA = random.Random(0).randbytes(5000)


def refusal(network: Network, damaged: bytes, *, data: bytes = DATA, first_wrong: int = 0) -> str:
    """Return the error of a capsule; check that no data beyond the chunks before `first_wrong` was returned."""
    out = bytearray()
    with pytest.raises(UnitError) as caught:
        open_into(out, network, damaged)
    # After each chunk all data except the last 16 bytes (sync word and key check value) have been returned.
    assert bytes(out) == data[: max(0, 1024 * first_wrong - 16)]
    return str(caught.value)


def flipped(capsule: bytes, bit: int) -> bytes:
    damaged = bytearray(capsule)
    damaged[bit // 8] ^= 0x80 >> bit % 8
    return bytes(damaged)


def refusal_expected(capsule: bytes, position: int) -> str:
    """Return the error for damage at this byte."""
    if position == 0:
        return "VERSION"
    return "HEADER" if position < WIRE_HEADER_SIZE else "AUTH"


def chunk_at(position: int) -> int:
    return max(0, position - WIRE_HEADER_SIZE) // WIRE_CHUNK


@each_network
@pytest.mark.parametrize("size", [0, 1, 16, 187])
def test_every_bit_of_a_small_capsule(network: Network, size: int) -> None:
    capsule = reference_capsule(network, 5, DATA[:size])
    assert len(capsule) <= 256
    assert opened(network, capsule) == DATA[:size]
    for bit in range(8 * len(capsule)):
        assert refusal(network, flipped(capsule, bit), data=b"") == refusal_expected(capsule, bit // 8), bit


@each_network
@settings(max_examples=30)
@given(size=st.integers(200, 5000), place=st.integers(0, 10**9))
def test_any_bit_of_a_large_capsule(network: Network, size: int, place: int) -> None:
    capsule = reference_capsule(network, 5, DATA[:size])
    bit = place % (8 * len(capsule))
    error = refusal(network, flipped(capsule, bit), first_wrong=chunk_at(bit // 8))
    assert error == refusal_expected(capsule, bit // 8)


@each_network
@pytest.mark.parametrize("size", [0, 187, 1008, 1009, 1100])
def test_truncation_at_every_byte(network: Network, size: int) -> None:
    data = DATA[:size]
    capsule = reference_capsule(network, 5, data)
    for end in range(len(capsule)):
        # A capsule truncated after a chunk ends with a chunk that was not sealed as the last.
        first_wrong = chunk_at(end - 1)
        error = refusal(network, capsule[:end], data=data, first_wrong=first_wrong)
        assert error == ("HEADER" if end < WIRE_HEADER_SIZE else "AUTH")


@each_network
@settings(max_examples=30)
@given(size=st.integers(0, 3100), more=st.binary(min_size=1, max_size=1100))
def test_appending(network: Network, size: int, more: bytes) -> None:
    capsule = reference_capsule(network, 5, DATA[:size])
    chunks = chunks_of(capsule)
    assert refusal(network, capsule + more, first_wrong=len(chunks) - 1) == "AUTH"


@each_network
def test_other_orders_of_chunks(network: Network) -> None:
    capsule = reference_capsule(network, 5, DATA)
    header, chunks = capsule[:WIRE_HEADER_SIZE], chunks_of(capsule)
    assert len(chunks) == 5
    for i in range(len(chunks)):
        without, twice = chunks[:i] + chunks[i + 1 :], chunks[: i + 1] + chunks[i:]
        assert refusal(network, header + b"".join(without), first_wrong=min(i, 3)) == "AUTH"
        # The last chunk is repeated: its first copy is no longer at the end of the capsule.
        assert refusal(network, header + b"".join(twice), first_wrong=min(i + 1, 4)) == "AUTH"
        for j in range(i):
            exchanged = list(chunks)
            exchanged[i], exchanged[j] = chunks[j], chunks[i]
            assert refusal(network, header + b"".join(exchanged), first_wrong=j) == "AUTH"


@each_network
def test_splicing_two_capsules(network: Network) -> None:
    """Both have the same sender and data; only number or salt differ."""
    one = reference_capsule(network, 5, DATA)
    for other in (reference_capsule(network, 6, DATA), reference_capsule(network, 5, DATA, b"othersal")):
        assert refusal(network, one[:WIRE_HEADER_SIZE] + other[WIRE_HEADER_SIZE:]) == "AUTH"
        for i in range(1, 5):
            cut = WIRE_HEADER_SIZE + WIRE_CHUNK * i
            assert refusal(network, one[:cut] + other[cut:], first_wrong=i) == "AUTH"
            assert refusal(network, other[:cut] + one[cut:], first_wrong=i) == "AUTH"


@pytest.mark.parametrize("kinds", [(0, 1), (2, 3), (0, 2), (1, 3)])
def test_capsules_of_other_suites_and_ciphers(kinds: tuple[int, int]) -> None:
    """Network, number and salt are equal: chunks under one header never match another."""
    one, other = (NETWORKS[kind] for kind in kinds)
    mixed = reference_capsule(one, 5, DATA)[:WIRE_HEADER_SIZE] + reference_capsule(other, 5, DATA)[WIRE_HEADER_SIZE:]
    assert refusal(one, mixed) == "AUTH"


@settings(max_examples=200)
@given(st.binary(max_size=1200), st.booleans())
def test_noise(noise: bytes, is_version_1: bool) -> None:
    capsule = b"\1" + noise if is_version_1 else noise
    expected = "VERSION" if capsule and capsule[0] != 1 else "HEADER"
    assert refusal(NETWORKS[2], capsule) == expected


@each_network
@given(noise=st.binary(max_size=2200))
def test_noise_behind_a_good_header(network: Network, noise: bytes) -> None:
    header = reference_capsule(network, 5, b"")[:WIRE_HEADER_SIZE]
    assert refusal(network, header + noise) == "AUTH"


@each_network
def test_an_opener_goes_on_after_a_wrong_chunk_and_ends_with_the_last(network: Network) -> None:
    """A chunk that was damaged on the line to the unit can be sent again."""
    chunks = chunks_of(reference_capsule(network, 5, DATA[:2000]))
    opener = Opener(CRYPTO, keys_of(network, new_header(network, 2, 5), BINDING_ID))
    data = opener.open(0, 0, chunks[0])
    for number, last, chunk, error in (
        (0, 0, chunks[0], "CONFLICT"),
        (2, 0, chunks[1], "CONFLICT"),
        (1, 0, chunks[1], "AUTH"),  # it was sealed as the last chunk
        (1, 2, chunks[1], "AUTH"),
        (1, 1, flipped(chunks[1], 0), "AUTH"),
        (1, 1, chunks[1][1:], "AUTH"),
        (1, 1, b"", "AUTH"),
    ):
        with pytest.raises(UnitError, match=error):
            opener.open(number, last, chunk)
    assert data + opener.open(1, 1, chunks[1]) == DATA[:2000]
    for number in (0, 1, 2):
        with pytest.raises(UnitError, match="CONFLICT"):
            opener.open(number, 1, chunks[1])


@pytest.mark.parametrize(
    ("number", "last", "size"),
    [(0, 0, 0), (0, 0, 1023), (0, 0, 1025), (0, 1, 15), (0, 1, 1025), (0, 2, 500), (1, 1, 0)],
)
def test_chunks_that_no_member_makes(number: int, last: int, size: int) -> None:
    """Their tags are correct."""
    sent = message(NETWORKS[2], 2, 5, DATA, binding_id=BINDING_ID)
    opener = Opener(CRYPTO, keys_of(NETWORKS[2], new_header(NETWORKS[2], 2, 5)))
    for i in range(number):
        opener.open(i, 0, sent.chunks[i])
    start = 1024 * number
    forged = capsule_reference.chunk(sent.tag_key, number, last, sent.ciphertext[start : start + size])
    with pytest.raises(UnitError, match="AUTH"):
        opener.open(number, last, forged)
    assert opener.open(number, 0, sent.chunks[number])
