# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The opened case: a unit whose case is opened erases itself, and the network goes on without it."""

import time
from collections.abc import Iterator

from ndks.driver.answers import TAMPERED
from ndks.exceptions import CheckFailed, NdksError
from ndks_laboratory import times
from ndks_laboratory.homologation.dumped_flash import contents_of
from ndks_laboratory.outcome import Check, Outcome
from ndks_protocol.wire import RELAY

from .case import Case, can_be_opened, case_of
from .checks import held
from .member import Member
from .scene import Scene

_ERASED = "the unit whose case was opened is erased"
_WHY = "no case can be opened: the units are at ports, and nobody is asked (run this in a terminal)"
_ATTEMPTS = 5
_LOOK = 0.1  # seconds between two checks


def opened_case(scene: Scene) -> Iterator[Check]:
    """Open the case of the master, if that can be opened, otherwise that of another member."""
    units = scene.plan.units
    members = [member for member in scene.table.present if can_be_opened(member.side.port, units)]
    if not members:
        yield Check(_ERASED, Outcome.not_shown(_WHY))
        return
    member = next((member for member in members if member.leads), members[0])
    scene.leave(member)
    with case_of(member.side, units.open_case) as case:
        yield from _opened(scene, member, case)


def _opened(scene: Scene, member: Member, case: Case) -> Iterator[Check]:
    table, mark = scene.table, bytes.fromhex(member.opened.hello.binding_id)
    table.publish(member, member.come_back(scene.opened(case.side)))
    _let_lead(scene, member)
    case.open()
    yield held("the unit whose case is opened answers no more", _falls_silent(member))
    scene.leave(member)
    ticks = table.until(table.agree, "another leads")
    scene.desk.retire(member.lane)
    table.until_agreed()
    yield held("the others go on without it", True, f"one leads after {ticks} ticks")
    with scene.open(case.side) as unit:
        yield held(_ERASED, unit.hello.state == TAMPERED, f"it says: {unit.hello.state}")
    case.close()
    if case.flash:
        yield held("its flash has its binding no more", not any(mark in each for each in contents_of(case.flash)))


def _let_lead(scene: Scene, member: Member) -> None:
    """Let a member lead, as a relay does when it sends; another of higher rank may be on its way."""
    table = scene.table
    table.until_agreed()
    member.unit.set_role(RELAY)
    for attempt in range(_ATTEMPTS):
        table.send(member, f"lane {member.lane} leads, {attempt}".encode())
        table.tick()  # gives the beacon that is due; agents learn roles only from TICK
        table.tick()
        if table.master() is member:
            return
    raise CheckFailed("the unit whose case is to be opened does not lead")


def _falls_silent(member: Member) -> bool:
    end = time.monotonic() + times.OPENED
    while time.monotonic() < end:
        try:
            member.unit.tick(0)
        except NdksError:
            return True
        time.sleep(_LOOK)
    return False
