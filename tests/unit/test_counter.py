# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the next index: only an acknowledgement advances it, and nothing decreases it."""

import pytest

import ndks
from ndks_protocol import commands

LAST = (1 << 48) - 1


def test_next_key_moves_on_by_one(unit: ndks.Unit) -> None:
    _, index = unit.next_index()
    key = unit.next_key(128)
    assert (key.index, unit.next_index()[1]) == (index, index + 1)
    assert key.data == unit.key(index, 128).data


def test_nothing_moves_without_acknowledgement(unit: ndks.Unit) -> None:
    before = unit.next_index()
    unit.key(before[1], 256)
    unit.key(before[1] + 10, 256)
    assert unit.next_index() == before


def test_acknowledging_twice_is_harmless(unit: ndks.Unit) -> None:
    epoch, index = unit.next_index()
    assert [unit.acknowledge(epoch, index) for _ in range(3)] == [index + 1] * 3
    assert unit.acknowledge(epoch, max(index - 5, 1)) == index + 1


def test_a_jump_ahead(unit: ndks.Unit) -> None:
    epoch, index = unit.next_index()
    assert unit.acknowledge(epoch, index + 1000) == index + 1001


def test_a_jump_too_far_needs_leave(unit: ndks.Unit) -> None:
    epoch, index = unit.next_index()
    with pytest.raises(ndks.DeviceError) as refused:
        unit.acknowledge(epoch, index + commands.MAX_JUMP + 1)
    assert refused.value.code == "TOO_FAR"
    assert unit.next_index() == (epoch, index)


def test_disconnecting_before_acknowledgement_repeats_the_key(port: str) -> None:
    with ndks.open(port) as unit:
        epoch, index = unit.next_index()
        first = unit.key(index, 256)
    with ndks.open(port) as unit:
        assert unit.next_index() == (epoch, index)
        assert unit.key(index, 256) == first
        unit.acknowledge(epoch, index)
    with ndks.open(port) as unit:
        assert unit.next_index() == (epoch, index + 1)


@pytest.mark.parametrize("index", [0, LAST + 1, 1 << 63])
def test_other_lanes_are_refused(unit: ndks.Unit, index: int) -> None:
    epoch, _ = unit.next_index()
    for request in (lambda: unit.key(index, 8), lambda: unit.acknowledge(epoch, index, allow_jump=True)):
        with pytest.raises(ndks.DeviceError) as refused:
            request()
        assert refused.value.code == "RANGE"


@pytest.mark.parametrize("index", [1 << 47, LAST])
def test_keys_that_are_only_read(unit: ndks.Unit, index: int) -> None:
    before = unit.next_index()
    assert unit.key(index, 128).data == unit.key(index, 256).data[:16]
    with pytest.raises(ndks.DeviceError) as refused:
        unit.acknowledge(before[0], index, allow_jump=True)
    assert refused.value.code == "RANGE"
    with pytest.raises(ndks.DeviceError), unit.taking_key(128, index, allow_jump=True):
        pytest.fail("the key would be stored, and not used up")
    assert unit.next_index() == before


def test_another_epoch_is_refused(unit: ndks.Unit) -> None:
    epoch, index = unit.next_index()
    for request in (lambda: unit.key(index, 8, epoch=epoch + 1), lambda: unit.acknowledge(epoch + 1, index)):
        with pytest.raises(ndks.DeviceError) as refused:
            request()
        assert refused.value.code == "EPOCH"
