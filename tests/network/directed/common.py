# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What the directed cases share."""

from collections.abc import Callable
from typing import Any

from ..world.attacker import Attacker
from ..world.checks import Violation
from ..world.interface import Packet, Side, View
from ..world.world import Node, World

Case = Callable[[Side], None]
CASES: dict[str, Case] = {}
NEVER = 1 << 40  # ticks


def case(work: Case) -> Case:
    CASES[work.__name__] = work
    return work


def demand(holds: object, what: str) -> None:
    if not holds:
        raise Violation(what)


def calm(side: Side, size: int, administrators: int = 1, ticks: int = 200) -> World:
    """Return a world of a channel without trouble, whose units are in the first generation and have a master."""
    world = World(side, f"calm {size}", size, administrators, calm=True, monitors=False)
    go_on(world, ticks)
    demand(world.checks.converged() is None, "a calm network does not begin")
    return world


def go_on(world: World, ticks: int) -> None:
    world.run_until(world.now + ticks)


def view_of(node: Node) -> View:
    view = node.machine.view
    assert view
    return view


def master_of(world: World) -> Node:
    return next(node for node in world.live() if node.is_master)


def slaves_of(world: World) -> list[Node]:
    return [node for node in world.live() if not node.is_master]


def ticks_until(world: World, what: Callable[[], object], at_most: int, complaint: str) -> int:
    began = world.now
    while not what():
        demand(world.now < began + at_most, f"{complaint}, after {at_most} ticks")
        go_on(world, 4)
    return world.now - began


def well(world: World) -> Callable[[], bool]:
    return lambda: world.checks.converged() is None


def thief_in(world: World, node: Node) -> tuple[Attacker, Any]:
    """Take a unit and its laptop, and let it be silent; return what the thief has of the present generation."""
    generation = view_of(node).here.generation
    world.steal(node)
    node.up_at = NEVER
    return world.attackers[-1], world.attackers[-1].hauls[generation]


def revoke(world: World, *lanes: int, by: int = 0) -> None:
    office = world.offices[by]
    for lane in lanes:
        office.file.revoke(lane)
    office.issue()


def is_beacon_of(side: Side, packet: Packet, lane: int) -> bool:
    sight = side.sight_of(packet) if side.kind_of(packet) == "capsule" else None
    return sight is not None and (sight.kind, sight.lane) == ("beacon", lane)
