# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Stamps on emulated units, in this process."""

from collections.abc import Callable

import pytest
from stamps import is_genuine, stamped

import ndks
from ndks_pytest import UnitInTest

Pair = tuple[UnitInTest, UnitInTest]


def test_the_other_unit_knows_a_stamp(ndks_pair: Pair) -> None:
    alice, bob = ndks_pair
    stamp = stamped(alice, "Meet me at noon.")
    assert is_genuine(bob, "Meet me at noon.", stamp)
    assert not is_genuine(bob, "Meet me at one.", stamp)


@pytest.mark.parametrize("number", range(8))
def test_no_two_stamps_are_made_with_one_key(ndks_unit: UnitInTest, number: int) -> None:
    stamps = [stamped(ndks_unit, "same text") for _ in range(1 + number % 3)]
    assert [stamp.index for stamp in stamps] == list(range(1, len(stamps) + 1))
    assert len(set(stamps)) == len(stamps)


def test_all_units_of_a_network_know_a_stamp(ndks_units: Callable[[int], list[UnitInTest]]) -> None:
    first, *others = ndks_units(4)
    stamp = stamped(first, "text")
    assert all(is_genuine(unit, "text", stamp) for unit in others)


def test_a_lost_unit_leaves_no_half_stamp(ndks_unit: UnitInTest) -> None:
    ndks_unit.cut_power(steps=1)  # while the unit writes down that the key is used
    with pytest.raises(ndks.UnitRemoved):
        stamped(ndks_unit, "text")
    ndks_unit.plug_in()
    assert stamped(ndks_unit, "text").index in (1, 2)


def test_an_unplugged_unit_is_told(ndks_unit: UnitInTest) -> None:
    ndks_unit.unplug()
    with pytest.raises(ndks.UnitRemoved):
        stamped(ndks_unit, "text")
    with ndks.open(ndks_unit.port) as again:
        assert stamped(again, "text").index == 1


def test_an_opened_unit_gives_no_stamp(ndks_unit: UnitInTest) -> None:
    ndks_unit.open_case()
    with pytest.raises(ndks.DeviceError, match="case"):
        stamped(ndks_unit, "text")
