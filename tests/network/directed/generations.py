# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Generations, bundles and administrators."""

from ..world.interface import Side
from .common import NEVER, calm, case, demand, go_on, revoke, slaves_of, thief_in, ticks_until, view_of, well


@case
def administrator_gone(side: Side) -> None:
    """Both administrators act, apart; one is then gone with its file, and only its side's hosts know what it did."""
    world = calm(side, 5, administrators=2)
    victim, *rest = world.live()
    world.groups = {node.lane: index % 2 for index, node in enumerate(rest)}
    world.groups |= {("administrator", 0): 0, ("administrator", 1): 1}
    world.hold = 0
    thief_in(world, victim)
    revoke(world, victim.lane, by=0)
    for _ in range(2):  # so that the second administrator's generation is the later one
        world.offices[1].issue()
    go_on(world, 400)
    del world.offices[0]
    world.groups = {}
    ticks_until(world, well(world), 340, "a side whose administrator is gone is not merged")
    demand(all(victim.lane in view_of(node).revoked for node in world.live()), "a revocation got lost")


@case
def forged_bundles(side: Side) -> None:
    """Bundles that no administrator made, with the hint of each victim in them: no unit is troubled."""
    world = calm(side, 3)
    thief_in(world, slaves_of(world)[0])
    before = {node.lane: node.machine.notices for node in world.live()}
    for further in range(1, 100):
        forged = side.forge_bundle(world.bundles[-1], side.g_of(world.bundles[-1]) + further)
        for node in world.live():
            hinted = side.with_hint(forged, node.machine.hint(side.g_of(forged)))
            node.run(node.machine.receive, hinted)
    tried = max(node.machine.notices - before[node.lane] for node in world.live())
    demand(tried == 0, f"forged bundles trouble a unit {tried} times")
    world.offices[0].issue()
    ticks_until(world, lambda: all(view_of(node).here.g > 0 for node in world.live()), 100, "a true bundle is late")


@case
def wrong_notice(side: Side) -> None:
    """A member's copy of the true bundle, with one notice altered, or under another number: nothing is lost by it."""
    world = calm(side, 3)
    world.hold, world.groups = 0, {node.lane: 1 for node in world.live()}
    issued = world.offices[0].issue()
    for node in world.live():
        for altered in side.altered(issued.bundle):
            node.run(node.machine.receive, altered)
        node.run(node.machine.receive, issued.bundle)
        demand(view_of(node).here.generation == issued.generation, "an altered bundle keeps the true one out")


@case
def far_generations(side: Side) -> None:
    """A member was away for thousands of generations: it enters the newest with one notice."""
    world = calm(side, 2)
    world.offices[0].file.skip_to(5000)
    world.offices[0].issue()
    ticks_until(world, lambda: all(view_of(node).here.g >= 5000 for node in world.live()), 600, "locked out by g")


@case
def too_many_revoked(side: Side) -> None:
    """Two administrators, apart, revoke as many as they may: the merge still fits into a notice."""
    world = calm(side, 2, administrators=2)
    for office in world.offices.values():
        for _ in range(60):
            lane = office.file.lane_of(office.file.new_member("elected"))
            if not office.file.revoke(lane):
                office.file.retire(lane)
    world.groups, world.hold = {("administrator", 1): 1}, 0
    for office in world.offices.values():
        office.issue()
    go_on(world, 100)
    world.groups = {}
    most = sum(len(office.file.revoked) for office in world.offices.values())
    merged = lambda: all(len(view_of(node).revoked) == most for node in world.live())  # noqa: E731
    ticks_until(world, merged, 1500, "a merge of revocations does not fit")


@case
def retired(side: Side) -> None:
    """A member whose unit was seen zeroized needs no place in the list of revoked lanes."""
    world = calm(side, 3)
    gone = slaves_of(world)[0]
    world.erase(gone)
    world.offices[0].file.retire(gone.lane)
    issued = world.offices[0].issue()
    go_on(world, 100)
    demand(gone.lane not in issued.members, "a retired member gets notices")
    demand(all(not view_of(node).revoked for node in world.live()), "a retired member takes a place in the list")


@case
def entry_and_crash(side: Side) -> None:
    """A host crashes at each step of an entry: the bundle is kept for those who ask later."""
    for steps in range(12):
        world = calm(side, 2)
        node = world.live()[0]
        issued = world.offices[0].issue()
        world.groups, world.hold = {other.lane: index for index, other in enumerate(world.live())}, 0
        node.machine.crash_in(steps)
        node.run(node.machine.receive, issued.bundle)
        node.machine.crash_in(None)
        node.run(node.machine.tick, 1)
        if view_of(node).here.generation == issued.generation:
            demand(node.machine.keeps(issued.bundle), f"a bundle is lost by a crash at step {steps}")


@case
def both_sides_of_a_merge(side: Side) -> None:
    """Two administrators act, apart, and members speak; each message comes to all who were members then."""
    world = calm(side, 4, administrators=2)
    world.groups = {node.lane: index % 2 for index, node in enumerate(world.live())}
    world.groups |= {("administrator", 0): 0, ("administrator", 1): 1}
    world.hold = 0
    for office in world.offices.values():
        office.issue()
    go_on(world, 150)
    for node in world.live():
        world.send(node, b"from lane %d" % node.lane)
    go_on(world, 150)
    world.groups = {}
    ticks_until(world, well(world), 1500, "two sides are not merged")
    demand(world.checks.lost == 0, f"a merge loses {world.checks.lost} messages")


@case
def bundles_out_of_order(side: Side) -> None:
    """A member hears of the second of two generations first: it waits, asks, and loses nothing of the first."""
    world = calm(side, 3)
    absent, speaker = slaves_of(world)
    absent.up_at = NEVER
    world.offices[0].issue()
    go_on(world, 100)
    world.send(speaker, b"in the first")
    go_on(world, 20)
    second = world.offices[0].issue()
    go_on(world, 100)
    absent.up_at = world.now
    absent.run(absent.machine.receive, second.bundle)
    ticks_until(world, well(world), 600, "who heard the second bundle first does not come back")
    demand(world.checks.lost == 0, "a generation was passed over, although its bundle is to be had")


@case
def equal_hints(side: Side) -> None:
    """All members have the same hint by chance: each finds its notice."""
    world = calm(side, 3)
    world.groups, world.hold = {node.lane: 1 for node in world.live()}, 0
    office = world.offices[0]
    office.issue()
    for node in world.live():
        bundle = office.file.with_hint(office.file.bundles()[-1], node.machine.hint(office.file.issued[-1].g))
        node.run(node.machine.receive, bundle)
    demand(all(view_of(node).here.g > 0 for node in world.live()), "of equal hints not all notices are tried")


@case
def operators_of_a_generation(side: Side) -> None:
    """The operators change with a generation: late messages of the one before have theirs."""
    world = calm(side, 3)
    speaker = world.live()[0]
    world.drop = 1
    world.send(speaker, b"under the former operators")
    world.drop = 0
    office = world.offices[0]
    office.file.set_operators((5, 1, 2))
    office.issue()
    go_on(world, 100)
    world.send(speaker, b"under the new ones")
    ticks_until(world, well(world), 400, "a late message of other operators does not open")
