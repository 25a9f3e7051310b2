# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Masters: those that lag, that are gone, and relays."""

from ..world.interface import Side
from .common import calm, case, demand, go_on, is_beacon_of, master_of, slaves_of, ticks_until, view_of, well


@case
def lagging_master(side: Side) -> None:
    """A member renews while the master is out of reach, and is gone; another, begun anew, hears the lagging master."""
    world = calm(side, 3)
    master = master_of(world)
    renewer, other = slaves_of(world)
    world.groups, world.hold = {master.lane: 1}, 0
    renewer.run(renewer.machine.renew)
    go_on(world, 8)
    world.erase(renewer)
    other.machine.restart_unit()
    world.groups = {}
    ticks_until(world, well(world), 400, "a master that lags behind in a silent network stays")


@case
def sleeping_host(side: Side) -> None:
    """A host slept for hours: it has not waited for a master meanwhile, and has passed no generation over."""
    world = calm(side, 3)
    sleeper = slaves_of(world)[0]
    sleeper.run(sleeper.machine.tick_unit, 3000)
    demand(not sleeper.is_master, "a host that slept leads")


@case
def repeated_beacons(side: Side) -> None:
    """The master is gone; somebody repeats what it said last, again and again."""
    world = calm(side, 4)
    master = master_of(world)
    beacons = [packet for packet in world.trace if is_beacon_of(side, packet, master.lane)]
    world.erase(master)
    for _ in range(16):
        for node in world.live():
            node.run(node.machine.receive, beacons[-1])
        go_on(world, 4)
    ticks_until(world, well(world), 40, "repeated beacons keep a master that is gone")


@case
def beacons_after_a_session(side: Side) -> None:
    """All units begin a new session, and the record of a master that is gone is repeated: it ends with the record."""
    world = calm(side, 4)
    master = master_of(world)
    world.erase(master)
    recorded = [packet for packet in world.trace if is_beacon_of(side, packet, master.lane)]
    for node in world.live():
        node.run(node.machine.renew)
        node.machine.restart_unit()
    numbers = [view_of(node).here.number for node in world.live()]
    until = world.now + 4 * len(recorded) + 60
    while world.now < until:
        for node in world.live():
            node.run(node.machine.receive, recorded[world.now // 4 % len(recorded)])
        go_on(world, 4)
    ticks_until(world, well(world), 3 * side.pause, "a record of a master keeps all others from leading")
    now = [view_of(node).here.number for node in world.live()]
    demand(all(new >= old for new, old in zip(now, numbers, strict=True)), "a number goes back")


@case
def relay_leads(side: Side) -> None:
    """A relay leads when it speaks, and not when it reports or asks."""
    world = calm(side, 3)
    first, second = slaves_of(world)
    for relay in (first, second):
        relay.run(relay.machine.set_mode, "relay")
    go_on(world, 100)
    demand(not first.is_master and not second.is_master, "a relay leads without a message")
    for relay in (first, second):
        world.send(relay, b"spoken")
        demand(relay.is_master, "a relay does not lead when it speaks")
        go_on(world, 40)
    go_on(world, 300)
    demand(well(world)() and second.is_master, "reports and asks move the master")
