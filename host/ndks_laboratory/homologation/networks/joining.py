# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Joining: a unit becomes a member with the authority's signature, and reads nothing from before."""

from collections.abc import Iterator

from ndks_laboratory.outcome import Check

from .checks import held
from .scene import Scene

_BEFORE = b"before the last unit joined"


def joining(scene: Scene) -> Iterator[Check]:
    """Let all units join, the last one after a message."""
    table, (*first, last) = scene.table, scene.sides
    for side in first:
        unit, request = scene.request(side)
        if not table.members:
            for what, was_refused in scene.desk.tries(request):
                yield held(f"no unit joins {what}", was_refused)
        scene.enrol(side, unit, request)
    table.until_agreed()
    table.send(table.members[0], _BEFORE)
    unit, request = scene.request(last)
    newcomer = scene.enrol(last, unit, request)
    table.until_agreed()
    yield held("every unit joined with the authority's signature", len(table.members) == len(scene.sides))
    yield held("all are in one generation", len({member.generation for member in table.members}) == 1)
    table.talk("all have joined")
    yield held("then a message of each reaches all others", True)
    for packet in tuple(table.recording):
        newcomer.receive(packet)
    yield held("who joins reads nothing of before", all(event.data != _BEFORE for event in newcomer.arrived))
