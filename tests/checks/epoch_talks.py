# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Conversations with units that move through epochs, lead and follow, for the golden vectors."""

import struct

from capsule_reference import AES, VERNAM
from command_vectors import (
    acknowledgement,
    begin,
    begins,
    gives_keys,
    incoming,
    opens,
    opens_keys,
    piece,
)
from conversation import (
    DEMO,
    FIRST,
    OWN_LANE,
    Conversation,
)
from enrolment_vectors import Enrolment
from flash_reference import (
    EXPORT_COUNTER,
)
from network_life import SLAVE, THEIRS, NetworkLife
from network_reference import (
    CONTROL,
    HOUSEKEEPING,
    LAST_NUMBER,
    MESSAGE,
    Generation,
)
from network_steps import (
    AHEAD,
    BEACON,
    ELECTED,
    FIRST_G,
    HEARD,
    LEAVE,
    LOWER,
    MASTER,
    MONITOR,
    MONITORING,
    MOVED,
    NEXT_G,
    PATIENCE,
    RELAY,
    VOUCHED,
    a_newcomer,
    at,
    key_chunk,
    named,
    opening,
    theirs,
)
from network_vectors import GENERATIONS, PLAIN, bad_beacons
from wire_codes import C, E


def epochs() -> Conversation:
    """Renew, and hear of others who do: one move in 64 ticks; the ninth gives up the first epoch."""
    life = a_newcomer()
    life.say((C.RENEW, b"\0", E.BAD_REQUEST), (C.NEXT_INDEX, b"", struct.pack(">IQ", at(FIRST_G), 1)))
    life.say((C.ACKNOWLEDGE, acknowledgement(1, epoch=at(FIRST_G)), struct.pack(">Q", 2)))
    life.flash.append(EXPORT_COUNTER, struct.pack(">IQ", at(FIRST_G), 2))
    life.renew()
    life.show()
    life.say((C.RENEW, b"", E.DELAYED), (C.NEXT_INDEX, b"", struct.pack(">IQ", at(FIRST_G, 1), 1)))
    life.tick(0, MASTER, 1, OWN_LANE, beacon=True)
    life.hear(9, 1, 3, 1, HEARD)  # of a higher rank; the unit moves later
    life.say(*opening(FIRST_G, 3), *opening(FIRST_G, 0), key_chunk(FIRST_G, 0), key_chunk(FIRST_G, 3, E.EPOCH))
    life.wait_ticks(32, SLAVE, 1, 9)
    life.hear(9, 2, 3, 1, HEARD)
    life.wait_ticks(31, SLAVE, 1, 9)
    life.move(3)
    life.tick(1, SLAVE, 1, 9)
    life.say(key_chunk(FIRST_G, 3), (C.RENEW, b"", E.DELAYED), life.present_status())
    seal_in_an_epoch(life)
    by_a_message(life)
    for n in range(3, 8):
        move_by_a_beacon(life, n, 7 + n)
    life.say(life.present_status(), *opening(FIRST_G, 0), key_chunk(FIRST_G, 0))
    move_by_a_beacon(life, 8, 100)
    life.show()
    life.say((C.OPEN_BEGIN, theirs(FIRST_G, 0).header + LEAVE, E.TOO_OLD), key_chunk(FIRST_G, 0, E.EPOCH))
    life.say((C.ACCEPT, theirs(FIRST_G, 0).header + b"\1", E.TOO_OLD), *opening(FIRST_G, 1), key_chunk(FIRST_G, 1))
    life.restart()
    life.open_session()
    life.say(life.present_status(), *opening(FIRST_G, 1), key_chunk(FIRST_G, 0, E.EPOCH))
    to_the_end(life)
    return life


def seal_in_an_epoch(life: NetworkLife) -> None:
    """Seal in both modes; equal requests have equal answers."""
    message, other = life.own(b"x", HOUSEKEEPING), life.own(b"y", MESSAGE, AES)
    life.say(
        (C.SEAL_BEGIN, begin("1st-mess", VERNAM, HOUSEKEEPING), begins(message, life.epoch)),
        (C.SEAL_BEGIN, begin("1st-mess", VERNAM, HOUSEKEEPING), begins(message, life.epoch)),
        (C.SEAL_CHUNK, piece("1st-mess", 0, 1, b"x"), message.chunks[0]),
        (C.SEAL_BEGIN, begin("2nd-mess", VERNAM, CONTROL), E.KIND),
        (C.SEAL_BEGIN, begin("2nd-mess", VERNAM, 4), E.RANGE),
        (C.SEAL_KEYS, begin("2nd-mess", AES, MESSAGE), gives_keys(other, life.epoch)),
    )


def by_a_message(life: NetworkLife) -> None:
    """Move by the first chunk of a message in mode b, but not by its header, nor in mode a."""
    assert life.present
    keep_waiting(life, 3)
    of, number = life.generation, life.present.number + 2
    message = theirs(of, number, kind=MESSAGE)
    opened = opens(9, 1, VERNAM, MESSAGE, at(of, number))
    life.say(
        (C.OPEN_KEYS, message.header + b"\0", opens_keys(9, 1, message, kind=MESSAGE, epoch=at(of, number))),
        (C.OPEN_BEGIN, message.header + b"\0", opened),
        life.present_status(),
        (C.OPEN_CHUNK, incoming(0, 1, message.chunks[0][:-1] + b"?"), E.AUTH),
        life.present_status(),
        (C.OPEN_CHUNK, incoming(0, 1, message.chunks[0]), b"x"),
    )
    life.move(number)
    life.say(life.present_status())


def keep_waiting(life: NetworkLife, n: int) -> None:
    """Wait as long as a move has to, with a master of lane 9, whose last beacon was n."""
    assert life.present
    for beacon in (n, n + (1 << 20)):
        life.hear(9, beacon, life.present.number, 1, HEARD)
        life.wait_ticks(32, SLAVE, 1, 9)


def move_by_a_beacon(life: NetworkLife, n: int, number: int) -> None:
    keep_waiting(life, n << 32)
    life.say((C.CONTROL, life.generation.beacon(9, (n << 32) + (1 << 31), number, 1, THEIRS), bytes([MOVED])))
    life.move(number)


def to_the_end(life: NetworkLife) -> None:
    """Go to the last number, as far as 4096 at a time, and no further."""
    assert life.present
    far = life.present.number + AHEAD
    life.say((C.OPEN_BEGIN, theirs(FIRST_G, far + 1).header + LEAVE, E.TOO_FAR), *opening(FIRST_G, far, VOUCHED))
    life.move(far)
    life.say(life.present_status())
    life.hear(9, 1, LAST_NUMBER, 1, HEARD)
    while life.present.number < LAST_NUMBER:
        life.wait_ticks(32, SLAVE, 1, 9)
        life.hear(9, life.present.number + 1, LAST_NUMBER, 1, HEARD)
        life.wait_ticks(31, SLAVE, 1, 9)
        life.move(min(life.present.number + AHEAD, LAST_NUMBER))
        life.tick(1, SLAVE, 1, 9)
        life.hear(9, life.present.number, LAST_NUMBER, 1, HEARD)
    life.say(life.present_status(), (C.RENEW, b"", E.RANGE))
    life.enter(NEXT_G)
    life.say(life.present_status(), *opening(FIRST_G, LAST_NUMBER))
    life.say((C.OPEN_BEGIN, theirs(FIRST_G, 1).header + LEAVE, E.TOO_OLD))


def roles() -> Conversation:
    """Wait for a master, lead, and follow those of a higher rank."""
    life = a_newcomer()
    life.tick(0, SLAVE, 0, 0)
    life.wait_ticks(PATIENCE - 1)
    life.tick(1, MASTER, 1, OWN_LANE, beacon=True)
    life.tick(BEACON - 1, MASTER, 1, OWN_LANE)
    life.tick(1, MASTER, 1, OWN_LANE, beacon=True)
    life.tick(0, MASTER, 1, OWN_LANE)
    life.hear(9, 1, 0, 0, LOWER)
    life.tick(0, MASTER, 1, OWN_LANE, beacon=True)
    life.hear(6, 1, 0, 1, LOWER)
    life.tick(0, MASTER, 1, OWN_LANE, beacon=True)
    life.hear(8, 1, 0, 1, HEARD)  # the same term, a higher lane
    life.wait_ticks(PATIENCE - 1, SLAVE, 1, 8)
    life.hear(8, 2, 0, 1, HEARD)  # a sign of life
    life.wait_ticks(PATIENCE - 1, SLAVE, 1, 8)
    life.hear(8, 2, 0, 1, HEARD)  # a repetition is none
    life.hear(6, 9, 0, 1, LOWER)
    life.tick(1, MASTER, 2, OWN_LANE, beacon=True)
    life.renew()
    life.tick(0, MASTER, 2, OWN_LANE, beacon=True)
    life.hear(9, 1, 0, 3, HEARD)  # a master that lags
    life.wait_ticks(PATIENCE - 1, SLAVE, 3, 9)
    life.hear(9, 2, 0, 3, HEARD)
    life.tick(1, MASTER, 4, OWN_LANE, beacon=True)
    life.hear(9, 3, 1, 0xFFFFFFFF, HEARD)
    life.wait_ticks(PATIENCE - 1, SLAVE, 0xFFFFFFFF, 9)
    life.tick(0xFFFF, MASTER, 0xFFFFFFFF, OWN_LANE, beacon=True)
    life.hear(9, 4, 1, 0xFFFFFFFF, HEARD)
    life.open_session()
    life.tick(16, SLAVE, 0, 0)
    life.tick(0xFFFF, SLAVE, 0, 0)  # counts as 16
    life.tick(15, SLAVE, 0, 0)
    life.tick(1, MASTER, 1, OWN_LANE, beacon=True)
    life.enter(NEXT_G)
    life.tick(0, MASTER, 1, OWN_LANE, beacon=True)  # who was master leads again
    modes(life)
    return life


def modes(life: NetworkLife) -> None:
    assert life.present
    life.say((C.ROLE, b"\3", E.RANGE), (C.ROLE, b"", E.BAD_REQUEST), (C.ROLE, b"\0", b""))
    life.set_mode(RELAY)
    life.hear(9, 1, 0, 5, HEARD)
    message = life.own(b"", HOUSEKEEPING)
    life.say((C.SEAL_BEGIN, begin("1st-mess", VERNAM, HOUSEKEEPING), begins(message, life.epoch)))
    life.tick(1, SLAVE, 5, 9)
    message = life.own(b"", MESSAGE)
    life.say((C.SEAL_BEGIN, begin("2nd-mess", VERNAM, MESSAGE), begins(message, life.epoch)))
    life.tick(1, MASTER, 6, OWN_LANE, beacon=True)
    life.set_mode(MONITOR)
    life.say((C.RENEW, b"", E.RANGE))
    life.wait_ticks(4 * 16, MONITORING, 6, 0)  # it has given up to lead
    life.hear(9, 2, 0, 9, HEARD)
    life.wait_ticks(4 * 16, MONITORING, 9, 9)
    message = life.own(b"", MESSAGE)
    life.say((C.SEAL_BEGIN, begin("3rd-mess", VERNAM, MESSAGE), begins(message, life.epoch)))
    life.tick(16, MONITORING, 9, 9)
    life.restart()
    life.open_session()
    life.tick(16, MONITORING, 0, 0)
    life.set_mode(ELECTED)
    life.show()
    life.tick(16, SLAVE, 0, 0)


def refused_beacons() -> Conversation:
    life = NetworkLife()
    life.enrol(Enrolment(OWN_LANE, 1))
    life.open_session()
    life.enter(GENERATIONS[1])
    life.say(*((C.CONTROL, bytes.fromhex(case["capsule"]), E[case["error"]]) for case in bad_beacons()))
    life.say((C.CONTROL, b"", E.HEADER), (C.CONTROL, b"\2", E.VERSION), (C.TICK, b"\0", E.BAD_REQUEST))
    life.tick(0, SLAVE, 0, 0)
    return life


def a_network_of_before() -> Conversation:
    """Elect a master and renew in a network without an administrator."""
    life = NetworkLife()
    life.provision(FIRST)
    life.found(Generation(0, DEMO.network.secret, PLAIN, (), (DEMO.network.p1, DEMO.network.p2)))
    life.open_session()
    life.say((C.NOTICE, named(1) + bytes(109), E.NO_EPOCH), (C.HINT, named(1), E.NO_EPOCH), life.present_status())
    life.wait_ticks(PATIENCE - 1)
    life.tick(1, MASTER, 1, OWN_LANE, beacon=True)
    life.say(*opening(life.generation, 0), *opening(life.generation, 3))
    life.move(3)
    life.show()
    life.say(life.present_status(), key_chunk(life.generation, 0), key_chunk(life.generation, 3))
    life.restart()
    life.open_session()
    life.renew()
    life.tick(0, MASTER, 1, OWN_LANE, beacon=True)
    life.say((C.NOTICE, named(1) + bytes(109), E.NO_EPOCH), (C.HINT, named(1), E.NO_EPOCH), life.present_status())
    life.show()
    return life
