# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packets in pieces: in any order, twice, with losses and forgeries, in bounded memory."""

import tracemalloc
from hashlib import sha256
from random import Random

import pytest

from ndks.agent.pieces import Assembly, split

PACKET = Random(1).randbytes(3000)


def test_layout() -> None:
    pieces = split(PACKET, 1200)
    digest = sha256(PACKET).digest()[:8]
    assert [piece[:13] for piece in pieces] == [b"\x46" + digest + bytes((0, part, 0, 3)) for part in range(3)]
    assert [len(piece) for piece in pieces] == [1213, 1213, 613]
    assert split(PACKET[:900], 1000) == [PACKET[:900]]
    assert split(PACKET, 0) == [PACKET]
    assert split(PACKET, 3000) == pieces


def test_any_order_and_twice() -> None:
    pieces = split(PACKET, 100) * 2
    Random(2).shuffle(pieces)
    assembly = Assembly(1 << 16)
    assert [packet for piece in pieces if (packet := assembly.add(piece))][:1] == [PACKET]


def test_a_forged_piece_spoils_only_one_attempt() -> None:
    first, *rest = split(PACKET, 1200)
    assembly = Assembly(1 << 16)
    forged = first[:13] + bytes(1200)
    assert not any(assembly.add(piece) for piece in (forged, first, *rest))
    assert [assembly.add(piece) for piece in (first, *rest)][-1] == PACKET


@pytest.mark.parametrize("piece", [b"\x46", b"\x46" + bytes(12), b"\x46" + bytes(13), b"\x46" + bytes(10) + b"\0\1x"])
def test_no_pieces(piece: bytes) -> None:
    assert Assembly(1 << 16).add(piece) == b""


def test_part_out_of_range_and_too_long() -> None:
    assembly = Assembly(1 << 16)
    head = b"\x46" + bytes(8)
    assert assembly.add(head + b"\0\2\0\2x") == b""
    assert assembly.add(head + b"\0\0\0\2" + bytes(1201)) == b""
    assert not vars(assembly)["_unfinished"]


def test_memory_is_bounded() -> None:
    assembly = Assembly(10_000)
    kept = split(PACKET, 1200)
    for number in range(100):
        assembly.add(b"\x46" + number.to_bytes(8) + b"\0\0\0\2" + bytes(1000))
        assembly.add(kept[0])  # came again: the others have waited longer
        assert vars(assembly)["_size"] <= 10_000
    assert [assembly.add(piece) for piece in kept[1:]][-1] == PACKET
    assembly.add(b"\x46" + bytes(8) + b"\0\0\xff\xffx")  # promises 65,535 parts
    assert vars(assembly)["_size"] <= 10_000


def test_small_pieces_count_for_what_they_take() -> None:
    assembly = Assembly(1 << 20)
    tracemalloc.start()
    for number in range(20_000):
        assembly.add(b"\x46" + number.to_bytes(8) + b"\0\0\0\2x")
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 3 << 19
    assert len(vars(assembly)["_unfinished"]) > 1000
