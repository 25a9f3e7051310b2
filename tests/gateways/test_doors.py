# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Doors, and how many full handshakes each may have."""

import random

from hypothesis import given
from hypothesis import strategies as st

from ndks.crypto import CRYPTO
from ndks_gateways.tunnel.derivations import derived
from ndks_gateways.tunnel.doors import Buckets, Door, epoch_door, find, pair_door
from ndks_protocol.kdf import derive


def test_derivations_are_those_of_the_protocol() -> None:
    rng = random.Random(1)
    for _ in range(50):
        key, context = rng.randbytes(rng.choice((32, 64))), rng.randbytes(rng.randrange(200))
        assert derived(key, "a label", context) == derive(CRYPTO, key, "a label", context)


def test_a_knock_finds_its_door_among_others() -> None:
    rng = random.Random(2)
    doors = [pair_door(rng.randbytes(32), "office"), *(epoch_door(rng.randbytes(32), i, "office") for i in range(9))]
    hello, knock = rng.randbytes(21), rng.randbytes(116)
    for door in doors:
        assert find(doors, hello, knock, door.mac(hello, knock)) == door
    mac = doors[3].mac(hello, knock)
    assert find(doors[:3] + doors[4:], hello, knock, mac) is None
    assert find([], hello, knock, mac) is None
    for other in ((bytes(21), knock, mac), (hello, knock[:-1], mac), (hello, knock, mac[:-1]), (hello, knock, b"")):
        assert find(doors, *other) is None


def test_a_door_is_of_one_key_and_one_name() -> None:
    keys = {
        door.key
        for secret in (bytes(32), b"\x01" * 32)
        for name in ("office", "offic", "Office", "b\u00fcro")
        for door in (pair_door(secret, name), epoch_door(secret, 1, name))
    }
    assert len(keys) == 8  # which kind it is makes no difference: the keys of both kinds have none in common


def test_four_at_once_then_one_in_two_seconds() -> None:
    buckets, door, other = Buckets(), Door(bytes(32), "pair"), Door(b"\x01" * 32, "pair")
    assert [buckets.admit(door, 100.0) for _ in range(6)] == [True] * 4 + [False] * 2
    assert buckets.admit(other, 100.0)
    assert not buckets.admit(door, 101.9)
    assert buckets.admit(door, 102.0)
    assert not buckets.admit(door, 103.9)
    assert [buckets.admit(door, 1000.0) for _ in range(6)] == [True] * 4 + [False] * 2


@given(st.lists(st.floats(0, 5), max_size=60))
def test_no_span_has_more_than_its_share(pauses: list[float]) -> None:
    buckets, door, now, admitted = Buckets(), Door(bytes(32), "pair"), 0.0, list[float]()
    for pause in pauses:
        now += pause
        if buckets.admit(door, now):
            admitted.append(now)
    for first, start in enumerate(admitted):
        for last, end in enumerate(admitted[first:], 1):
            assert last <= 4 + (end - start) / 2 + 1e-6


def test_doors_that_are_gone_take_no_room() -> None:
    buckets = Buckets()
    for number in range(1000):
        assert buckets.admit(epoch_door(bytes(32), number, str(number)), 10.0 * number)
    assert len(buckets._full_at) <= 65
