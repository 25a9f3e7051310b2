# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Records of a tunnel: in pieces of any size, damaged, repeated, left out, swapped; a key that is used up."""

import random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ndks_gateways.tunnel import records
from ndks_gateways.tunnel.records import Opener, RecordError, Sealer

KEY = bytes(range(32))
LARGEST = 5 + 65536


def test_layout():
    sealer = Sealer(KEY)
    sealer.seal(b"first")
    sealed = sealer.seal(b"second")
    assert sealed[:3] == (6 + 16).to_bytes(3, "big")
    assert AESGCM(KEY).decrypt(bytes(11) + b"\1", sealed[3:], None) == b"second"


def test_pieces_of_any_size():
    chance = random.Random(1)
    for _ in range(20):
        contents = [chance.randbytes(chance.choice((5, 6, 100, 4000, LARGEST))) for _ in range(30)]
        sealer, opener = Sealer(KEY), Opener(KEY)
        stream = memoryview(b"".join(map(sealer.seal, contents)))
        opened = list[bytes]()
        while stream:
            if chance.random() < 0.5:
                size = chance.choice((1, 2, 3, 20, 3000, 70_000, 300_000))
                opened += opener.feed(stream[:size])
            else:
                room = opener.room()
                assert len(room) > 0
                size = min(chance.randint(1, len(room)), len(stream))
                room[:size] = stream[:size]
                opened += opener.filled(size)
            stream = stream[size:]
        assert opened == contents
        assert (opener.records, opener.octets) == (sealer.records, sealer.octets)


def test_a_frame_stays_when_the_buffer_is_filled_again():
    sealer, opener = Sealer(KEY), Opener(KEY)
    (first,) = opener.feed(sealer.seal(b"first frame"))
    assert list(opener.feed(sealer.seal(b"other frame"))) == [b"other frame"]
    assert first == b"first frame"


@pytest.mark.parametrize("place", [2, 3, 10, 30])
def test_a_damaged_record_is_refused(place: int):
    sealed = bytearray(Sealer(KEY).seal(bytes(20)))
    sealed[place] ^= 1
    with pytest.raises(RecordError):
        list(Opener(KEY).feed(bytes(sealed) + bytes(100)))


@pytest.mark.parametrize("order", [(1,), (0, 0), (1, 0), (0, 2), (0, 1, 0)])
def test_repeated_left_out_and_swapped_records_are_refused(order: tuple[int, ...]):
    sealer = Sealer(KEY)
    sealed = [sealer.seal(bytes([i]) * 5) for i in range(3)]
    with pytest.raises(RecordError):
        list(Opener(KEY).feed(b"".join(sealed[i] for i in order)))


def test_records_of_another_key_are_refused():
    with pytest.raises(RecordError):
        list(Opener(bytes(32)).feed(Sealer(KEY).seal(bytes(5))))


@pytest.mark.parametrize("size", [0, 20, LARGEST + 17, (1 << 24) - 1])
def test_sizes_that_no_frame_has_are_refused_before_more_is_read(size: int):
    with pytest.raises(RecordError):
        list(Opener(KEY).feed(size.to_bytes(3, "big")))


def test_a_key_ends_before_its_counter_does():
    sealer, opener = Sealer(KEY), Opener(KEY)
    sealer.records = opener.records = records.MOST_RECORDS // 8 * 7 - 1
    assert not sealer.is_spent
    assert list(opener.feed(sealer.seal(bytes(5)))) == [bytes(5)]
    assert sealer.is_spent
    assert opener.is_spent
    sealer.records = opener.records = records.MOST_RECORDS - 1
    last = sealer.seal(bytes(5))
    assert list(opener.feed(last)) == [bytes(5)]
    with pytest.raises(RecordError):
        sealer.seal(bytes(5))
    with pytest.raises(RecordError):
        list(opener.feed(last))


def test_a_key_ends_after_64_gb():
    sealer = Sealer(KEY)
    sealer.octets = records.MOST_OCTETS // 8 * 7
    assert sealer.is_spent
    sealer.octets = records.MOST_OCTETS - 5
    sealer.seal(bytes(5))
    with pytest.raises(RecordError):
        sealer.seal(bytes(5))
