# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Power cuts at each step of each change, and of the start after it."""

from collections.abc import Callable
from random import Random
from typing import Any

from ..world.interface import Machine, Side, View
from ..world.world import World
from .common import case, demand


@case
def every_cut(side: Side) -> None:
    """Power goes at each step of each change, and at each step of the start after it."""
    demand(count_cuts(side) > 50, "there are no steps to cut at")


def count_cuts(side: Side) -> int:
    """Cut at each of the side's steps; return how many cuts were made."""
    world = World(side, "cuts", 1, 1, calm=True)
    (node,) = world.live()
    machine, office = node.machine, world.offices[0]
    bundles = office.file.bundles()
    lost = office.file.lane_of(office.file.new_member("elected"))
    for index in range(side.past + 3):
        if index == side.past + 1:
            office.file.revoke(lost)
        bundles.append(office.issue().bundle)
    changes: list[Callable[[], Any]] = [lambda bundle=bundle: machine.receive(bundle) for bundle in bundles[:3]]
    changes += [machine.renew] * (side.moves + 2)
    changes += [lambda bundle=bundle: machine.receive(bundle) for bundle in bundles[3:]]
    return sum(_cuts_of(side, machine, change) for change in changes)


def _cuts_of(side: Side, machine: Machine, change: Callable[[], Any]) -> int:
    """Do a change in all ways that power cuts allow; leave the flash as after it."""
    machine.restart_unit()
    before, old, cuts = machine.whole(), machine.view, 0
    change()
    after, new = machine.whole(), machine.view
    for first in range(0, 1 << 20, side.stride):
        machine.put_whole(before)
        machine.restart_unit()
        machine.cut_power_in(first)
        if not _is_cut(side, change):
            machine.cut_power_in(None)
            break
        cut = machine.whole()
        for second in range(0, 1 << 20, side.stride):
            machine.put_whole(cut)
            machine.cut_power_in(second)
            was_cut = _is_cut(side, machine.start_unit)
            machine.cut_power_in(None)
            machine.restart_unit()
            _check_cut(side, machine, old, new, change)
            cuts += 1
            if not was_cut:
                break
    machine.put_whole(after)
    machine.restart_unit()
    return cuts


@case
def cuts_in_a_network_of_before(side: Side) -> None:
    """The same with the renewals of a network without administrators: the first writes a generation."""
    machine = side.machine_of_before(Random(4))
    cuts = sum(_cuts_of(side, machine, machine.renew) for _ in range(side.moves + 2))
    demand(cuts > 20, "there are no steps to cut at")


@case
def cut_and_moves(side: Side) -> None:
    """The power goes at each step of an entry; later the unit gives epochs up: none of them stays in flash."""
    world = World(side, "cuts", 1, 1, calm=True)
    (node,) = world.live()
    machine, office = node.machine, world.offices[0]
    machine.receive(office.file.bundles()[0])
    machine.renew()
    before, bundle = machine.whole(), office.issue().bundle
    for step in range(0, 1 << 20, side.stride):
        machine.put_whole(before)
        machine.restart_unit()
        machine.cut_power_in(step)
        was_cut = _is_cut(side, lambda: machine.receive(bundle))
        machine.cut_power_in(None)
        for _ in range(side.moves + 1):
            machine.restart_unit()
            machine.renew()
        _check_flash(side, machine)
        if not was_cut:
            return


def _is_cut(side: Side, work: Callable[[], Any]) -> bool:
    try:
        work()
    except side.interruptions:
        return True
    return False


def _state(view: View | None) -> tuple[Any, ...]:
    return (view.here, view.past, view.revoked) if view else ()


def _check_cut(side: Side, machine: Machine, old: View | None, new: View | None, change: Callable[[], Any]) -> None:
    """Old state or new, nothing between, and nothing in flash that the unit has given up."""
    view = machine.view
    demand(_state(view) in (_state(old), _state(new)), "a power cut leaves a state between the old one and the new one")
    _check_flash(side, machine)
    if _state(view) == _state(old):
        change()
    demand(_state(machine.view) == _state(new), "a change that was cut cannot be repeated")


def _check_flash(side: Side, machine: Machine) -> None:
    """Nothing is in flash that the unit has given up."""
    view = machine.view
    if view:
        kept = {entry.generation: entry.low for entry in (view.here, *view.past)}
        hauls, keys = side.loot(machine)
        for haul in hauls:
            demand(haul.low >= kept.get(haul.generation, 1 << 20), "a key that should be gone stays in flash")
        demand(all(g > view.here.g for g, _ in keys), "a member key that should be gone stays in flash")
