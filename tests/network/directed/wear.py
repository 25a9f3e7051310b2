# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Moves: how often, and how far."""

from ..world.interface import Side
from .common import calm, case, demand, go_on, master_of, slaves_of, thief_in, ticks_until, view_of, well


@case
def wear_by_beacons(side: Side) -> None:
    """A member raises the number with each beacon: every board would be erased each time."""
    world = calm(side, 3)
    thief, haul = thief_in(world, slaves_of(world)[0])
    others = world.live()
    before, began = [node.machine.wear for node in others], world.now
    for number in range(1, 257):
        for node in others:
            node.run(node.machine.receive, side.forge_beacon(haul, thief.lane, 1000 + number, number, 9))
        go_on(world, 1)
    moves = (world.now - began) // side.pause + 2
    wear = max(node.machine.wear - worn for node, worn in zip(others, before, strict=True))
    demand(wear <= moves * side.wear_of_a_move, f"a member wears out boards: {wear} changes of flash")
    demand(all(view_of(node).here.number > 0 for node in others), "numbers do not move at all")


@case
def renewals_wait(side: Side) -> None:
    """A second renewal at once is refused, and a number that is ahead waits without locking out its capsules."""
    world = calm(side, 3)
    first, second = slaves_of(world)
    master = master_of(world)
    for node in (first, second):
        node.run(node.machine.renew)
    world.send(first, b"of the new epoch")
    ticks_until(world, well(world), 3 * side.pause + 40, "two renewals do not lead to one epoch")
    demand(len([entry for entry in master.machine.log if entry.data == b"of the new epoch"]) == 1, "a message waits")
