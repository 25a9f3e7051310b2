# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Thieves: what they say, what they read, and what comes late."""

from ..world.attacker import FORGED
from ..world.interface import Side
from .common import NEVER, calm, case, demand, go_on, revoke, slaves_of, thief_in, ticks_until, view_of, well


@case
def claims_of_a_thief(side: Side) -> None:
    """A thief, before its revocation, says in another's name that all is gone; later that member's messages come."""
    world = calm(side, 3)
    speaker, listener = world.live()[:2]
    thief, haul = thief_in(world, world.live()[2])
    words = ("report", 100000, 100003, ((0, 100000),)), ("message", 100001, FORGED + thief.lane.to_bytes(2))
    for n, word in enumerate(words):
        packet = side.forge(haul, speaker.lane, 1000 + n, view_of(listener).here.number, word)
        listener.run(listener.machine.receive, packet)
    world.checks.claimed.add(speaker.lane)
    revoke(world, thief.lane)
    go_on(world, 150)
    world.drop = 0.3
    for index in range(10):
        world.send(speaker, b"after the thief %d" % index)
        go_on(world, 3)
    world.drop = 0
    ticks_until(world, well(world), 600, "a thief's claims outlive it")


@case
def forgeries_after_revocation(side: Side) -> None:
    """A thief that is revoked forges, in an old generation and in any name: nothing is taken, nobody follows it."""
    world = calm(side, 4)
    thief, haul = thief_in(world, slaves_of(world)[0])
    world.drop = 1  # a message of before, that others still miss
    sender = world.live()[0]
    world.send(sender, b"late")
    late = world.trace[-1]
    world.drop = 0
    revoke(world, thief.lane)
    go_on(world, 100)
    for node in world.live():
        for lane in (thief.lane, sender.lane):
            if lane != node.lane:
                forged = ("message", 2, FORGED + thief.lane.to_bytes(2))
                node.run(node.machine.receive, side.forge(haul, lane, 3, 0, forged))
                node.run(node.machine.receive, side.forge_beacon(haul, lane, 1 << 30, 7, 1 << 20))
        node.run(node.machine.receive, late)
    ticks_until(world, well(world), 400, "a late message of before a revocation does not come")
    demand(all(view_of(node).here.number == 0 for node in world.live()), "a revoked unit moves the number")


@case
def windows_moved_by_a_thief(side: Side) -> None:
    """Plain commands: a thief moves the window of another's lane to the end of numbers; a revocation undoes it."""
    world = calm(side, 3)
    speaker, listener = world.live()[:2]
    thief, haul = thief_in(world, world.live()[2])
    number = view_of(listener).here.number
    far = side.forge(haul, speaker.lane, 1 << 46, number, ("data", b"far"))
    demand(listener.machine.accept(far, allow_jump=True) == "", "the thief is a member yet")
    demand(listener.machine.accept(speaker.machine.sealed_data(b"x")) != "", "windows do not work")
    revoke(world, thief.lane)
    go_on(world, 100)
    refusal = listener.machine.accept(speaker.machine.sealed_data(b"y"))
    demand(refusal == "", f"a window that a thief moved stays: {refusal}")


@case
def name_of_a_revoked_lane(side: Side) -> None:
    """A thief that is not revoked yet beacons in the name of one that is: nobody follows it."""
    world = calm(side, 5)
    first, second = slaves_of(world)[:2]
    thief_in(world, first)
    revoke(world, first.lane)
    go_on(world, 100)
    _, haul = thief_in(world, second)
    for node in world.live():
        node.run(node.machine.receive, side.forge_beacon(haul, first.lane, 1 << 30, 0, 1 << 20))
    ticks_until(world, well(world), 200, "a revoked lane leads")


@case
def recorded_notices(side: Side) -> None:
    """A thief has a record of all bundles: its unit's key opens none but those that are still to come."""
    world = calm(side, 3)
    for _ in range(side.past + 4):
        world.offices[0].issue()
        go_on(world, 100)
    world.steal(slaves_of(world)[0])


@case
def late_and_new(side: Side) -> None:
    """A message of before a join is sent again, for a member that missed it: the newcomer does not get it."""
    world = calm(side, 3)
    speaker = world.live()[0]
    world.drop = 1
    world.send(speaker, b"before the join")
    world.drop = 0
    office = world.offices[0]
    member = office.file.new_member("elected")
    issued = office.issue()
    newcomer = world.add_node(member)
    newcomer.run(newcomer.machine.receive, issued.bundle)
    ticks_until(world, well(world), 400, "a late message does not come to all old members")
    demand(not newcomer.machine.log, "a newcomer reads what was sent before it joined")


@case
def long_absence(side: Side) -> None:
    """A member was away for more renewals than are kept: what was sent meanwhile opens all the same."""
    world = calm(side, 3)
    absent, speaker = slaves_of(world)
    absent.up_at = NEVER
    for index in range(side.moves + 4):
        speaker.run(speaker.machine.renew)
        go_on(world, 20)
        world.send(speaker, b"epoch %d" % index)
        go_on(world, side.pause + 8)
    absent.up_at = world.now
    ticks_until(world, well(world), 800, "who was away does not come back")
    demand(world.checks.lost == 0, f"who was away lost {world.checks.lost} messages")


@case
def late_by_some_epochs(side: Side) -> None:
    """Two parts of a network renew, apart; what was sent in the former epochs of one opens in the other."""
    world = calm(side, 3)
    speaker, listener = slaves_of(world)
    world.groups, world.hold = {listener.lane: 1}, 0
    for index in range(side.moves - 2):
        world.send(speaker, b"epoch %d" % index)
        for node in (speaker, listener):
            node.run(node.machine.renew)
        go_on(world, side.pause + 8)
    world.groups = {}
    ticks_until(world, well(world), 800, "late messages do not come")
    demand(world.checks.lost == 0, f"{world.checks.lost} late messages are lost")
