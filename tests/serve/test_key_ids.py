# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Ids of keys, against an implementation that shares nothing with this one."""

import json
import random
from typing import Any

import pytest
from key_id_vectors import GROUP, KeyId, index_of, key_id, random_id
from make_vectors import VECTORS

from ndks_gateways.keys import names, refusals
from ndks_gateways.keys.key_ids import EpochIds, find
from ndks_gateways.keys.names import Names
from ndks_gateways.keys.ranges import IDS, NAMED
from ndks_gateways.keys.ranges import index_of as index
from ndks_gateways.keys.refusals import BadRequest, Unauthorized
from ndks_gateways.keys.runs import CHUNK, SLOT, SLOTS, Place, Run, pieces_of, slots_of

SEED = 20261129


def names_of(where: KeyId) -> Names:
    return (names.group if where.kind == GROUP else names.one)(where.master, where.slave)


def place_of(where: KeyId) -> Place:
    return Place(where.epoch, where.lane, where.run, where.slot, where.size)


def made(where: KeyId) -> bytes:
    run = Run(where.epoch, where.lane, where.run)
    return EpochIds(where.epoch, where.exported).id_of(run, where.slot, where.size, names_of(where))


def vectors(kind: str) -> list[dict[str, Any]]:
    return json.loads((VECTORS / "key_ids.json").read_text())[kind]


@pytest.mark.parametrize("case", vectors("good"), ids=lambda case: case["key_id"][:8])
def test_an_id_is_that_of_the_vectors(case: dict[str, Any]) -> None:
    fields = {name: case[name] for name in KeyId._fields}
    where = KeyId(**(fields | {"exported": bytes.fromhex(case["exported"])}))
    assert made(where).hex() == case["key_id"]
    assert index(where.lane, where.run) == int(case["n"])


@pytest.mark.parametrize("case", vectors("bad"), ids=lambda case: case["why"])
def test_a_block_that_no_server_makes_is_of_no_epoch(case: dict[str, Any]) -> None:
    ids = EpochIds(0, bytes.fromhex(case["exported"]))
    assert find(bytes.fromhex(case["key_id"]), [ids], [names.one("SAE_A", "SAE_B")]) is None


def test_ids_are_those_of_another_implementation() -> None:
    rng = random.Random(SEED)
    for _ in range(2000):
        where = random_id(rng)
        assert made(where) == key_id(where)
        ids = EpochIds(where.epoch, where.exported)
        others = [EpochIds(rng.randrange(1 << 32), rng.randbytes(32)) for _ in range(3)]
        epochs = [*others, ids]
        rng.shuffle(epochs)
        wanted = [names.one("someone", "else"), names_of(where)]
        assert find(key_id(where), epochs, wanted) == place_of(where)


def test_an_id_is_for_its_master_and_slave_alone() -> None:
    rng = random.Random(SEED)
    for _ in range(200):
        where = random_id(rng)._replace(kind=0, master="A", slave="BC")
        ids = EpochIds(where.epoch, where.exported)
        for other in (names.one("AB", "C"), names.one("BC", "A"), names.group("A", "BC"), names.one("A", "B")):
            with pytest.raises(Unauthorized, match=refusals.NOT_YOURS):
                find(key_id(where), [ids], [other])
        with pytest.raises(Unauthorized):
            find(key_id(where), [ids], [])


def test_garbage_is_of_no_epoch_and_nearly_never_someones() -> None:
    rng = random.Random(SEED)
    epochs = [EpochIds(epoch, rng.randbytes(32)) for epoch in range(8)]
    refused = 0
    for _ in range(5000):
        try:
            assert find(rng.randbytes(16), epochs, [names.one("A", "B")]) is None
        except Unauthorized:
            refused += 1
    assert refused < 10  # 2^-15 an epoch


def test_an_id_changes_wholly_with_each_bit() -> None:
    where = random_id(random.Random(SEED))
    ids, whole = EpochIds(where.epoch, where.exported), key_id(where)
    for bit in range(128):
        other = (int.from_bytes(whole) ^ 1 << bit).to_bytes(16)
        try:
            assert find(other, [ids], [names_of(where)]) is None
        except Unauthorized:
            continue


def test_an_id_of_another_epoch_with_the_same_key_is_refused() -> None:
    where = random_id(random.Random(SEED))
    with pytest.raises(Unauthorized):
        find(key_id(where), [EpochIds(where.epoch ^ 1, where.exported)], [names_of(where)])


def test_a_place_that_is_none_gets_no_id() -> None:
    ids, run = EpochIds(1, bytes(32)), Run(1, 1, 0)
    for slot, size in ((0, 0), (SLOTS - 1, 33), (SLOTS, 1), (-1, 1), (0, 1025)):
        with pytest.raises(ValueError, match="place"):
            ids.id_of(run, slot, size, names.one("A", "B"))
    with pytest.raises(ValueError, match="epoch"):
        ids.id_of(Run(2, 1, 0), 0, 32, names.one("A", "B"))


def test_names_of_groups() -> None:
    groups = {"G": ("B", "C"), "H": ("B", "C", "D")}
    assert names.of_request("A", ["B"], groups) == names.one("A", "B")
    assert names.of_request("A", ["C", "B"], groups) == names.group("A", "G")
    assert names.for_slave("A", "D", groups) == [names.one("A", "D"), names.group("A", "H")]
    for others in (["B", "D"], ["B", "B"], ["B", "C", "C"], ["B", "C", "D", "E"], []):
        with pytest.raises(BadRequest, match="group"):
            names.of_request("A", others, groups)
    for name in ("", "x" * 256, "é" * 128, "\ud800"):
        with pytest.raises(BadRequest):
            names.one("A", name)


def test_ranges_do_not_meet() -> None:
    first = index(1, 0)
    assert first == index_of(1, 0) > NAMED > IDS > 1 << 47
    assert index(65535, (1 << 31) - 1) == (1 << 48) - 1
    for lane, run in ((0, 1), (1 << 16, 0), (1, 1 << 31), (1, -1)):
        with pytest.raises(ValueError, match="lane"):
            index(lane, run)


def test_pieces_are_the_bytes_of_slots() -> None:
    rng = random.Random(SEED)
    key = rng.randbytes(64 * 1024)
    for _ in range(500):
        size = rng.randrange(1, 1025)
        slot = rng.randrange(len(key) // SLOT - slots_of(size) + 1)
        pieces = [(chunk * CHUNK + start, chunk * CHUNK + stop) for chunk, start, stop in pieces_of(slot, size)]
        assert b"".join(key[start:stop] for start, stop in pieces) == key[slot * SLOT : slot * SLOT + size]
        assert all(start // CHUNK == (stop - 1) // CHUNK for start, stop in pieces)
