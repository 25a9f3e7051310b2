# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What chance rarely finds, step by step; each case raises Violation. They run with any side of the world."""

from collections.abc import Callable
from random import Random
from typing import Any

from .world.attacker import FORGED, Attacker
from .world.checks import Violation
from .world.interface import Machine, Packet, Side, View
from .world.world import Node, World

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


# Masters


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
    beacons = [packet for packet in world.trace if _is_beacon_of(side, packet, master.lane)]
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
    recorded = [packet for packet in world.trace if _is_beacon_of(side, packet, master.lane)]
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


def _is_beacon_of(side: Side, packet: Packet, lane: int) -> bool:
    sight = side.sight_of(packet) if side.kind_of(packet) == "capsule" else None
    return sight is not None and (sight.kind, sight.lane) == ("beacon", lane)


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


# Wear


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


# Generations


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


# Thieves


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
    """A message was missed, and some renewals came since: it still opens."""
    world = calm(side, 3)
    speaker = slaves_of(world)[0]
    for index in range(side.moves - 2):
        world.drop = int(index == 1)
        world.send(speaker, b"epoch %d" % index)
        world.drop = 0
        speaker.run(speaker.machine.renew)
        go_on(world, side.pause + 8)
    ticks_until(world, well(world), 800, "a late message does not come")
    demand(world.checks.lost == 0, "a late message is lost")


# Stores and flash


@case
def power_and_numbers(side: Side) -> None:
    """The power goes between two messages: the unit goes on with numbers that were never used."""
    world = calm(side, 2)
    node = world.live()[0]
    for index in range(5):
        world.send(node, b"message %d" % index)
        node.machine.restart_unit()
        go_on(world, 100)


@case
def lost_store(side: Side) -> None:
    """A host lost its store: what its member says is new to all, and what others still have comes to it."""
    world = calm(side, 3)
    speaker = world.live()[0]
    for index in range(5):
        world.send(speaker, b"before %d" % index)
        go_on(world, 5)
    go_on(world, 60)
    world.restore_store(speaker, None)
    world.send(speaker, b"after")
    ticks_until(world, well(world), 600, "a new store is not heard")
    for node in world.live():
        if node is not speaker:
            texts = [entry.data for entry in node.machine.log if entry.lane == speaker.lane]
            demand(texts[-1] == b"after", "the messages of a new store are dropped as known")


@case
def restored_store(side: Side) -> None:
    """The same with an old copy of the store, of before the last messages."""
    world = calm(side, 3)
    speaker = world.live()[0]
    world.send(speaker, b"in the copy")
    go_on(world, 60)
    backup = speaker.machine.backup()
    for index in range(3):
        world.send(speaker, b"after the copy %d" % index)
        go_on(world, 60)
    world.restore_store(speaker, backup)
    world.send(speaker, b"restored")
    ticks_until(world, well(world), 600, "a restored store is not heard")
    for node in world.live():
        if node is not speaker:
            texts = [entry.data for entry in node.machine.log if entry.lane == speaker.lane]
            demand(texts[-1] == b"restored", "the messages of a restored store are dropped as known")


@case
def restored_flash(side: Side) -> None:
    """An old image of a flash is put back: no number comes twice, and the unit comes back to the present."""
    world = calm(side, 3)
    node = slaves_of(world)[0]
    image = node.machine.image()
    for index in range(3):
        world.send(node, b"before %d" % index)
        world.offices[0].issue()
        go_on(world, 150)
        node.run(node.machine.renew)
        go_on(world, 100)
    world.roll_back(node, image)
    world.send(node, b"after")
    ticks_until(world, well(world), 1500, "a unit with an old flash does not come back")


# Power cuts


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
    return (view.here, view.revoked) if view else ()


def _is_state(view: View | None, state: View | None) -> bool:
    """Return whether a unit is in a state; it may have lost the past's oldest entry, in whose place a new one came."""
    return _state(view) == _state(state) and not (view and state and set(view.past) - set(state.past))


def _check_cut(side: Side, machine: Machine, old: View | None, new: View | None, change: Callable[[], Any]) -> None:
    """Old state or new, nothing between, and nothing in flash that the unit has given up."""
    view = machine.view
    demand(
        _is_state(view, old) or _is_state(view, new), "a power cut leaves a state between the old one and the new one"
    )
    _check_flash(side, machine)
    if _is_state(view, old):
        change()
    demand(_is_state(machine.view, new), "a change that was cut cannot be repeated")


def _check_flash(side: Side, machine: Machine) -> None:
    """Nothing is in flash that the unit has given up."""
    view = machine.view
    if view:
        kept = {entry.generation: entry.low for entry in (view.here, *view.past)}
        hauls, keys = side.loot(machine)
        for haul in hauls:
            demand(haul.low >= kept.get(haul.generation, 1 << 20), "a key that should be gone stays in flash")
        demand(all(g > view.here.g for g, _ in keys), "a member key that should be gone stays in flash")
