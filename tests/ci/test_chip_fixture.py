# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The fixture `ndks_chip`: the firmware of a board on an emulated chip, and its faults."""

import os
from pathlib import Path

import pytest

import ndks
from ndks_pytest import NetworkInTest, PortInTest

pytestmark = pytest.mark.chip


def test_chip_is_a_member_as_other_units_are(ndks_chip: PortInTest, ndks_network: NetworkInTest) -> None:
    (other,) = ndks_network.units(1)
    with ndks.open() as unit:
        assert unit.port == ndks_chip
        assert unit.is_bound_here
        assert unit.next_key(256) == other.next_key(256)
        assert other.unseal(unit.seal(b"Meet me at noon.")) == b"Meet me at noon."
        assert unit.unseal(other.seal(b"Meet me at one.")) == b"Meet me at one."


def test_two_chips_of_one_network(ndks_chip: PortInTest, ndks_network: NetworkInTest) -> None:
    other = ndks_network.chip(Path(os.environ["NDKS_UF2"]))
    with ndks.open(ndks_chip) as here, ndks.open(other) as there:
        assert here.hello.serial_number != there.hello.serial_number
        assert here.next_key(256) == there.next_key(256)


def test_chip_that_is_unplugged(ndks_chip: PortInTest) -> None:
    with ndks.open() as unit:
        key = unit.next_key(256)
        ndks_chip.unplug()
        with pytest.raises(ndks.UnitRemoved):
            unit.next_key(256)
    with pytest.raises(ndks.NoUnit):
        ndks.open()
    ndks_chip.plug_in()
    with ndks.open() as unit:
        assert unit.key(key.index, 256) == key
        assert unit.next_key(256).index == key.index + 1


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_power_of_a_chip_that_fails_at_some_step(ndks_chip: PortInTest, steps: int) -> None:
    taken = [0]
    with ndks.open() as unit:
        ndks_chip.cut_power(steps)
        with pytest.raises(ndks.UnitRemoved):
            taken += (unit.next_key(8).index for _ in range(10))
    ndks_chip.plug_in()
    with ndks.open() as unit:
        assert unit.next_key(8).index in (taken[-1] + 1, taken[-1] + 2)


def test_case_of_a_chip_that_is_opened(ndks_chip: PortInTest) -> None:
    ndks_chip.open_case()
    with ndks.open() as unit, pytest.raises(ndks.DeviceError) as refused:
        unit.next_key(8)
    assert refused.value.code == "TAMPERED"
