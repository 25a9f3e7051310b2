# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Exported keys of any unit, against mpmath and an independent mask."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.public_network import public_network
from support.reference import exported_key, load_vectors

import ndks
from ndks_protocol import framing
from ndks_protocol.commands import MAX_KEY_BYTES

NETWORK = public_network()
FRAME_OVERHEAD = len(framing.encode(0, 0, b""))

few = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def test_published_vectors(unit: ndks.Unit) -> None:
    for vector in load_vectors("suite")["export"]:
        if vector["suite"] == 1:
            assert unit.key(vector["k"], 256).data.hex() == vector["bytes"]


@few
@given(k=st.integers(1, 2**48 - 1), bits=st.integers(1, 300))
def test_any_index_and_length(unit: ndks.Unit, k: int, bits: int) -> None:
    size = -(-bits // 8)
    expected = int.from_bytes(exported_key(NETWORK, k, 0, size)) >> (8 * size - bits) << (8 * size - bits)
    assert unit.key(k, bits).data == expected.to_bytes(size)


@few
@given(offset=st.integers(0, MAX_KEY_BYTES - 40), size=st.integers(1, 40))
def test_any_offset(unit: ndks.Unit, offset: int, size: int) -> None:
    data = b"".join(unit.stream_key(3, 8 * (offset + size), offset=offset))
    assert data == exported_key(NETWORK, 3, offset, size)


def test_the_last_bits_of_the_longest_key(unit: ndks.Unit) -> None:
    offset = MAX_KEY_BYTES - 16
    assert b"".join(unit.stream_key(1, 8 * MAX_KEY_BYTES, offset=offset)) == exported_key(NETWORK, 1, offset, 16)


@pytest.mark.parametrize("wire", [63, 64, 65, 127, 128, 255, 256, 257])
def test_answers_of_awkward_sizes(unit: ndks.Unit, wire: int) -> None:
    """Answer frames of sizes around USB packets and FIFOs, on which some USB stacks stall."""
    size = wire - FRAME_OVERHEAD
    assert unit.key(5, 8 * size).data == exported_key(NETWORK, 5, 0, size)


def test_a_long_key_streams_in_order(unit: ndks.Unit) -> None:
    size = 5 * 1024 + 77
    blocks = list(unit.stream_key(9, 8 * size))
    assert [len(block) for block in blocks] == [1024] * 5 + [77]
    data = b"".join(blocks)
    for offset in random.Random(1).sample(range(size - 16), 20):
        assert data[offset : offset + 16] == exported_key(NETWORK, 9, offset, 16)


def test_first_bits_do_not_depend_on_the_length(unit: ndks.Unit) -> None:
    whole = unit.key(4, 2048).data
    assert all(unit.key(4, 8 * size).data == whole[:size] for size in (1, 16, 17, 255))


@pytest.mark.parametrize("bits", [0, -1, 2**40 + 1])
def test_impossible_lengths(unit: ndks.Unit, bits: int) -> None:
    with pytest.raises(ndks.UsageError, match="2\\^40"):
        unit.key(1, bits)
