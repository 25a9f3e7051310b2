# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Power cuts at the steps of flash of a request, as CircuitPython makes them: the state is the old or the new one."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from emulated_chip.plugged import PluggedChip, flash_after, unit_on
from support.power_cuts import PowerCuts
from support.public_network import public_network
from support.reference import exported_key

import ndks
from ndks.board import chips

pytestmark = [pytest.mark.chip, pytest.mark.timeout(3600)]
SAMPLE = 6
BLOCK = 64  # numbers that a unit reserves at once
ONE_RECORD = 112  # bytes of the largest record that an acknowledgement appends


class Image(NamedTuple):
    """A chip without power."""

    flash: bytes
    uid: bytes

    def plug(self) -> PluggedChip:
        return PluggedChip(self.flash, self.uid)


@pytest.fixture(scope="module")
def member(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """A member of the public network, that was bound, started twice, and ejected."""
    firmware = chips.read_image(Path(os.environ["NDKS_UF2"]))
    with chips.open_chip(tmp_path_factory.mktemp("chip") / "a", create=True) as directory:
        chips.install(directory, firmware, lambda _: None)
        image = Image(directory.load(), directory.uid)
    image = after(image, lambda unit: unit.bind(unit.provision(public_network(), 1)))
    return after(image, lambda unit: unit.next_key(256))


def after(image: Image, operation: Callable[[ndks.Unit], object]) -> Image:
    plugged = image.plug()
    with unit_on(plugged) as unit:
        operation(unit)
    return image._replace(flash=bytes(plugged.flash))


def cuts(
    image: Image,
    operation: Callable[[ndks.Unit], object],
    look: Callable[[ndks.Unit], object],
    power_cuts: PowerCuts,
) -> tuple[Any, list[Any], Any]:
    """Return the state before an operation, those that a unit finds after power cuts in it, and that after it."""
    plugged = image.plug()
    with unit_on(plugged) as unit:
        old = look(unit)
        before = bytes(plugged.flash)
        plugged.changes.clear()
        operation(unit)
        changes = list(plugged.changes)
        new = look(unit)
    assert changes
    views: list[Any] = []
    for steps in power_cuts.points(2 * len(changes), SAMPLE):
        with unit_on(image._replace(flash=flash_after(before, changes, steps)).plug()) as unit:
            views.append(look(unit))
    return old, views, new


def next_index(unit: ndks.Unit) -> int:
    epoch, index = unit.next_index()
    assert unit.key(index, 256, epoch=epoch).data == exported_key(public_network(), index, 0, 32)
    return index


def acknowledge_many(unit: ndks.Unit) -> None:
    """Use up the block of numbers that the unit has reserved, so that it writes a record."""
    epoch, index = unit.next_index()
    unit.acknowledge(epoch, index + BLOCK)


def test_next_key(member: Image, power_cuts: PowerCuts) -> None:
    old, views, new = cuts(member, lambda unit: unit.next_key(256), next_index, power_cuts)
    assert {old, *views, new} == {old, new}
    assert sorted([old, *views, new]) == [old, *views, new], "once new, always new"


def test_a_full_record_log(member: Image, power_cuts: PowerCuts) -> None:
    """The last of these acknowledgements writes a snapshot to the drive, and erases the nvm sector."""

    def fill(unit: ndks.Unit) -> None:
        while (status := unit.status()).log_size - status.log_used >= ONE_RECORD:
            acknowledge_many(unit)

    def overflow(unit: ndks.Unit) -> None:
        used = -1
        while (now := unit.status().log_used) >= used:
            acknowledge_many(unit)
            used = now

    old, views, new = cuts(after(member, fill), overflow, next_index, power_cuts)
    assert sorted([old, *views, new]) == [old, *views, new], "no number comes back"


def test_zeroize(member: Image, power_cuts: PowerCuts) -> None:
    old, views, new = cuts(
        member, lambda unit: unit.zeroize(), lambda unit: unit.status(unlock=False).state, power_cuts
    )
    assert (old, new) == ("locked", "blank")
    assert views == sorted(views, key=(old, new).index), "erased is erased"
