# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Stores and flash that were lost, or put back."""

from ..world.interface import Side
from .common import calm, case, demand, go_on, slaves_of, ticks_until, well


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
