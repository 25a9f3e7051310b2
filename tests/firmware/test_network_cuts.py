# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Power cuts in a network with generations: old or new state, and UNLOCK leaves nothing that was superseded."""

import struct
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hosts.administered import Member, beacon, member_key, message, notice
from hosts.network import BINDING, SECRET
from support.power_cuts import PowerCuts

from ndks.crypto import CRYPTO
from ndks_protocol import commands, errors
from ndks_protocol.binding import BindingKeys
from ndks_protocol.control.limits import MOVE_PAUSE, MOVES
from ndks_protocol.flash import NVM_SIZE
from ndks_unit.flash.records import (
    BODY,
    FIRST_KEY,
    GENERATION,
    MEMBERSHIP,
    PAST,
    WINDOW_KINDS,
    RecordKeys,
    plausible,
)
from ndks_unit.network.layout import AT_MEMBER_KEY, AT_OPERATORS, AT_SECRET, AT_SETTLED, SETTLED

from .powered import Powered

LANE, OTHER, GONE = 1, 2, 5
_OF_NETWORKS = (MEMBERSHIP, GENERATION, PAST, FIRST_KEY, *WINDOW_KINDS)


class View(NamedTuple):
    """What a unit shows, and the bodies of its records of networks."""

    state: int
    epoch: int = 0
    network_id: bytes = b""
    held: bytes = b""
    bodies: tuple[tuple[int, bytes], ...] = ()


class Networked(Powered):
    """A unit in a network with generations."""

    def open(self) -> Member:
        """Start, and open a session if the unit is a member."""
        self.start()
        if self.host.firmware.state.binding:
            self.host.open()
        member = Member.__new__(Member)
        member.lane, member.host = LANE, self.host
        return member

    def look(self) -> View:
        copy = self.clone()
        member = copy.open()
        if not member.state.binding:
            return View(member.state.lifecycle)
        status = copy.host.status()
        log = member.state.log
        bodies = tuple((kind, bytes(log.body(kind) or b"")) for kind in _OF_NETWORKS if log.body(kind))
        assert superseded(copy) == set(), "UNLOCK leaves nothing that was superseded"
        assert GENERATION not in dict(bodies) or dict(bodies)[GENERATION][AT_SETTLED] == SETTLED
        return View(status["state"], status["epoch"], status["network_id"], status["held"], bodies)


Operation = Callable[[Networked], None]


def superseded(networked: Networked) -> set[int]:
    """Return the types of the records of networks in nvm and both files that have keys which the newest ones have not.

    A generation before a move that gave up no epoch has none.
    """
    log = networked.host.firmware.state.log
    keys = RecordKeys(CRYPTO)
    keys.set_kek(BindingKeys(CRYPTO, BINDING).kek)
    found: set[int] = set()
    for image in networked.unit.flash.images:
        for offset in range(0, NVM_SIZE - 32 - BODY, 16):
            header = plausible(image, offset)
            if header and header[0] in (MEMBERSHIP, GENERATION, PAST, FIRST_KEY):
                body = keys.decode(image[offset : offset + BODY + header[1]])
                if body is not None and keys_in(header[0], body) != keys_in(header[0], log.body(header[0]) or b""):
                    found.add(header[0])
    return found


def keys_in(kind: int, body: "bytes | bytearray") -> bytes:
    """Return the part of a body from which all its keys derive."""
    if kind == GENERATION:
        return bytes(body[:AT_OPERATORS] + body[AT_MEMBER_KEY:AT_SECRET])
    return bytes(body)


# Units to begin with


def joining() -> Networked:
    networked = Networked()
    networked.host.ask(commands.JOINING_KEY)
    return networked.clone()


def enrolled() -> Networked:
    networked = Networked()
    Member(LANE, networked.unit, generation=3, enters=False)
    return networked.clone()


def entered() -> Networked:
    networked = Networked()
    member = Member(LANE, networked.unit, generation=3)
    member.host.ask(commands.ACCEPT, message(OTHER, 70, 3 << 16)[:37], 0)
    return networked.clone()


def moved() -> Networked:
    """Each further move gives up an epoch."""
    networked = entered()
    member = networked.open()
    for _ in range(MOVES + 1):
        member.renew()
        member.wait(MOVE_PAUSE)
    return networked.clone()


def full() -> Networked:
    """Six past generations, so that each further one pushes one out."""
    networked = entered()
    member = networked.open()
    for g in range(4, 11):
        member.enter(g)
    return networked.clone()


def nearly_full_log() -> Networked:
    networked = full()
    member = networked.open()
    log = member.state.log
    while log.size - log.used > 900:
        member.host.ask(commands.ACCEPT, message(OTHER, 70 + log.used // 16, 10 << 16)[:37], 0)
    return networked.clone()


def of_before() -> Networked:
    """A member of a network without administrators."""
    networked = Networked()
    networked.host.provision(lane=LANE)
    networked.host.open()
    networked.host.ask(commands.ACKNOWLEDGE, 0, 3, 0)
    return networked.clone()


# Operations


def start(networked: Networked) -> None:
    networked.open()


def enrol(networked: Networked) -> None:
    from conversation import sealed
    from hosts.administered import enrolment

    networked.open()
    private = bytes(networked.host.firmware.state.log.body(0xF3)[:32])  # type: ignore[index]
    networked.host.ask(commands.ENROL, BINDING, sealed(private, enrolment(LANE, 3)))


def enter(g: int, *arguments: tuple[int, ...], **changes: int) -> Operation:
    def operation(networked: Networked) -> None:
        code = networked.open().enter_code(g, *arguments, **changes)
        assert code in (0, errors.STALE), "it may have been entered before"

    return operation


def renew(networked: Networked) -> None:
    networked.open().renew()


def hear(networked: Networked) -> None:
    networked.open().hear(beacon(OTHER, 1, 3 << 16 | 12, 1))


def set_mode(networked: Networked) -> None:
    networked.open().host.ask(commands.ROLE, commands.RELAY)


SITUATIONS: dict[str, tuple[Callable[[], Networked], Operation]] = {
    "ENROL": (joining, enrol),
    "first notice": (enrolled, enter(3)),
    "first notice, a merge": (enrolled, enter(7, (GONE,), (4, 5, 6))),
    "notice": (entered, enter(4)),
    "notice, another lane revoked": (entered, enter(4, (GONE,))),
    "notice, other operators": (entered, enter(4, operators=(2, 0, 0))),  # type: ignore[arg-type]
    "notice that pushes one out": (full, enter(11)),
    "notice, a merge that pushes six out": (full, enter(20, (GONE,), (14, 15, 16, 17, 18, 19))),
    "notice, no room in the log": (nearly_full_log, enter(11, (GONE,))),
    "first move": (entered, renew),
    "move that gives up an epoch": (moved, renew),
    "move by a beacon": (moved, hear),
    "mode": (entered, set_mode),
    "first renewal of an old network": (of_before, renew),
    "first mode of an old network": (of_before, set_mode),
}
situations = pytest.mark.parametrize("situation", SITUATIONS)


@situations
def test_a_cut_at_every_step(situation: str, power_cuts: PowerCuts) -> None:
    prepare, operation = SITUATIONS[situation]
    networked = prepare()
    if operation is renew and situation != "first renewal of an old network":
        return check_with_renewals(networked, power_cuts)
    power_cuts.check(networked, operation, at_most=30)
    return None


def check_with_renewals(networked: Networked, power_cuts: PowerCuts) -> None:
    old = networked.look()
    for cut in power_cuts.cuts(networked, renew, at_most=30):
        epoch = cut.look().epoch
        assert epoch in (old.epoch, old.epoch + 1)
        assert epoch == old.epoch + 1 or not cut.ended


@situations
def test_a_second_cut_in_the_start_after_it(situation: str, power_cuts: PowerCuts) -> None:
    prepare, operation = SITUATIONS[situation]
    networked = prepare()
    networked.unit.power.fine = False
    power_cuts.check_pairs(networked, operation, 25, start)


@situations
def test_after_a_cut_everything_works(situation: str, power_cuts: PowerCuts) -> None:
    prepare, operation = SITUATIONS[situation]
    networked = prepare()
    networked.unit.power.fine = False
    for cut in power_cuts.cuts(networked, operation, at_most=6):
        member = cut.open()
        if not member.state.binding:
            continue
        view = cut.look()
        if view.network_id == bytes(8) or view.epoch >> 16:
            g = max(view.epoch >> 16, 20) + 1
            assert member.enter(g, (GONE,)) == g << 16
        member.wait(MOVE_PAUSE)
        before = member.status()["epoch"]
        assert member.renew() == before + 1
        assert member.seal()[1] == before + 1


def test_an_entry_that_was_cut_short_leaves_no_key_behind(power_cuts: PowerCuts) -> None:
    """Record 21 was written, and 20 not: neither what it has pushed out nor what the notice has brought stays."""
    networked = full()
    member = networked.open()
    log = member.state.log
    before = bytes(log.body(PAST) or b"")
    from ndks_unit.on_demand import load

    parts = ("ndks_protocol.control.capsules", "ndks_protocol.control.notice", "ndks_protocol.control.ladder")
    *_, entering = load(*parts, "ndks_unit.network.epochs", "ndks_unit.network.entering")
    new = entering._opened(member.state.roles, 20, member_key(LANE, 20), notice(LANE, 20, (), (14, 15)))
    log.append(PAST, entering._past(member.state.roles, new))
    for cut in power_cuts.cuts(networked, start, at_most=20):
        view = cut.look()
        assert view.held == struct.pack(">7H", 10, 9, 8, 7, 6, 5, 4)
        copy = cut.clone()
        copy.open()
        keys = RecordKeys(CRYPTO)
        keys.set_kek(BindingKeys(CRYPTO, BINDING).kek)
        assert bytes(copy.host.firmware.state.log.body(PAST) or b"") == before
        assert superseded(copy) == set()


def test_the_secret_of_an_old_network_goes_with_its_first_move() -> None:
    networked = of_before()
    renew(networked)
    assert networked.host.status()["epoch"] == 1
    networked.open()
    body = bytes(networked.host.firmware.state.log.body(MEMBERSHIP) or b"")
    assert SECRET not in body
    assert superseded(networked) == set()
