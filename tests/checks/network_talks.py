# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Conversations with units of networks for the golden vectors: enrolling, generations, epochs, roles."""

import copy
import struct
from collections.abc import Callable
from typing import Any

from capsule_reference import AES, HYBRID, VERNAM, Message
from command_vectors import (
    acknowledgement,
    begin,
    begins,
    chunk_request,
    exported,
    gives_keys,
    incoming,
    one_life,
    opens,
    opens_keys,
    piece,
)
from conversation import (
    ABOUT_STEPS,
    DEMO,
    ENTROPY,
    FIRST,
    MAX_SENDERS,
    MEMBER,
    OWN_LANE,
    SECOND,
    UID,
    Conversation,
    Step,
    binding_body,
    sealed,
    unit_salt,
)
from enrolment_vectors import Enrolment, bad_fields
from flash_reference import (
    BINDING,
    EXPORT_COUNTER,
    FORMAT,
    MEMBER_IDS,
    MEMBERSHIP,
    STATE_FORMAT,
    WINDOWS,
    Flash,
    state_format,
)
from generation_records import GENERATION, PAST_GENERATIONS, past_body
from network_life import SLAVE, THEIRS, NetworkLife, key_of
from network_reference import (
    CONTROL,
    DATA,
    HOUSEKEEPING,
    LAST_GENERATION,
    LAST_NUMBER,
    MESSAGE,
    Generation,
    hint,
    notice,
    notice_data,
)
from network_vectors import CUBES, GENERATIONS, PLAIN, bad_beacons, bad_notices, many
from wire_codes import C, E

MASTER, MONITORING = 1, 2  # roles
ELECTED, RELAY, MONITOR = 0, 1, 2  # modes
HEARD, MOVED, LOWER = 0, 1, 2  # events
VOUCHED, LEAVE = b"\4", b"\3"  # flags; again and allow_jump
PATIENCE = 48  # 32 and the bits of the first two bytes of entropy
BEACON = 8  # ticks
AHEAD = 4096
SENDERS = range(9, 9 + 2 * MAX_SENDERS, 2)
FIRST_G = Generation(1, bytes(range(64, 96)), PLAIN)
NEXT_G = Generation(2, bytes(range(96, 128)), PLAIN)
CUTTING = Generation(6, bytes(range(128, 160)), CUBES, (4,))


def named(g: int) -> bytes:
    return struct.pack(">H", g)


def noticed(new: Generation) -> bytes:
    """Return the request of NOTICE for the unit of the conversation."""
    return named(new.g) + notice(key_of(new.g), new.g, notice_data(new), THEIRS)


def theirs(of: Generation, number: int, lane: int = 9, n: int = 1, kind: int = DATA, data: bytes = b"x") -> Message:
    return of.capsule(kind, number, lane, n, data, THEIRS)


def at(of: Generation, number: int = 0) -> int:
    """Return an epoch as it is on the line."""
    return of.g << 16 | number


def opening(of: Generation, number: int, flags: bytes = b"\0", n: int = 1) -> list[Step]:
    """Open a message of lane 9 in mode b."""
    message = theirs(of, number, n=n)
    return [
        (C.OPEN_BEGIN, message.header + flags, opens(9, n, VERNAM, DATA, at(of, number))),
        (C.OPEN_CHUNK, incoming(0, 1, message.chunks[0]), b"x"),
    ]


def key_chunk(of: Generation, number: int, error: int = 0) -> Step:
    """Read an exported key of an epoch."""
    key = error or exported(HYBRID, of.network(number), 1, 16)
    return C.KEY_CHUNK, chunk_request(1, 0, 16, at(of, number)), key


def a_newcomer(mode: int = ELECTED) -> NetworkLife:
    """Return the conversation of a unit that has just entered its first generation."""
    life = NetworkLife()
    life.enrol(Enrolment(OWN_LANE, 1, mode=mode))
    life.open_session()
    life.enter(FIRST_G)
    return life


def without_an_epoch(life: NetworkLife) -> list[Step]:
    """Send all commands that need an epoch to a unit that has none."""
    message = theirs(FIRST_G, 0)
    return [
        (C.NEXT_INDEX, b"", E.NO_EPOCH),
        (C.KEY_CHUNK, chunk_request(1, 0, 16), E.NO_EPOCH),
        (C.ACKNOWLEDGE, acknowledgement(1), E.NO_EPOCH),
        (C.SEAL_BEGIN, begin("1st-mess", VERNAM), E.NO_EPOCH),
        (C.SEAL_KEYS, begin("1st-mess", VERNAM), E.NO_EPOCH),
        (C.OPEN_BEGIN, message.header + b"\0", E.NO_EPOCH),
        (C.OPEN_KEYS, message.header + b"\0", E.NO_EPOCH),
        (C.ACCEPT, message.header + b"\0", E.NO_EPOCH),
        (C.TICK, bytes(2), E.NO_EPOCH),
        (C.CONTROL, FIRST_G.beacon(9, 1, 0, 1, THEIRS), E.NO_EPOCH),
        (C.RENEW, b"", E.NO_EPOCH),
        (C.ROLE, b"\0", E.NO_EPOCH),
        life.present_status(),
    ]


def enrolling() -> Conversation:
    """Enrol a unit, which refuses bad packages, and bad notices until the right one comes."""
    life = NetworkLife()
    life.enrolment = Enrolment(OWN_LANE, 6, mode=RELAY)
    life.open_anonymously()
    life.say((C.ENROL, FIRST.secret + bytes(60), E.NO_JOINING_KEY))
    life.make_joining_key()
    package = sealed(life.joining_key, life.enrolment.fields)
    life.say((C.ENROL, FIRST.secret[1:], E.BAD_REQUEST), (C.ENROL, FIRST.secret + package[:-1], E.PACKAGE))
    life.say(
        *((C.ENROL, FIRST.secret + sealed(life.joining_key, fields), E[error]) for _, error, fields in bad_fields())
    )
    life.accept_package()
    life.greet()
    life.say((C.ENROL, FIRST.secret + package[:90], E.PROVISIONED))
    life.show()
    life.open_session()
    life.say(*without_an_epoch(life))
    life.say((C.NOTICE, b"\0", E.BAD_REQUEST), (C.HINT, b"", E.BAD_REQUEST))
    for g in (0, 5):
        life.say((C.HINT, named(g), E.STALE), (C.NOTICE, named(g) + bytes(109), E.STALE))
    life.say((C.HINT, b"\xff\xff", E.RANGE), (C.NOTICE, b"\xff\xff" + bytes(109), E.RANGE))
    for g in (6, 7, 5000, LAST_GENERATION):
        life.say((C.HINT, named(g), hint(key_of(g))))
    for case in bad_notices(OWN_LANE):
        life.say((C.NOTICE, named(6) + bytes.fromhex(case["capsule"]), E[case["error"]]))
    life.say(*without_an_epoch(life))
    life.restart()
    life.open_session()
    life.enter(GENERATIONS[2])
    life.say(life.present_status(), (C.NOTICE, noticed(GENERATIONS[2]), E.STALE))
    life.say((C.HINT, named(6), E.STALE), (C.HINT, named(7), hint(key_of(7))))
    life.show()
    life.restart()
    life.open_session()
    life.say(life.present_status(), *opening(GENERATIONS[2], 0))
    life.show()
    return life


def generations() -> Conversation:
    """Go through generations: late capsules open until a lane is revoked, then only with the flag vouched."""
    life = a_newcomer()
    life.say(*opening(FIRST_G, 0), (C.ACCEPT, theirs(FIRST_G, 0, n=3).header + b"\0", b""))
    life.say((C.ACCEPT, theirs(FIRST_G, 0, lane=4).header + b"\0", b""))
    life.flash.append(WINDOWS, window_of(9, 3))
    life.flash.append(WINDOWS + 1, window_of(4, 1))
    life.say(key_chunk(FIRST_G, 0), key_chunk(NEXT_G, 0, E.EPOCH), key_chunk(FIRST_G, 1, E.EPOCH))
    life.enter(NEXT_G)
    life.show()
    life.say(*opening(NEXT_G, 0), *opening(FIRST_G, 0), key_chunk(FIRST_G, 0), key_chunk(NEXT_G, 0))
    life.say(
        (C.ACKNOWLEDGE, acknowledgement(1, epoch=at(FIRST_G)), E.EPOCH),
        (C.CONTROL, FIRST_G.beacon(9, 1, 0, 1, THEIRS), E.STALE),
        (C.OPEN_BEGIN, FIRST_G.beacon(9, 1, 0, 1, THEIRS)[:37] + b"\0", E.STALE),
        (C.OPEN_BEGIN, NEXT_G.beacon(9, 1, 0, 1, THEIRS)[:37] + b"\0", E.KIND),
        (C.OPEN_KEYS, NEXT_G.beacon(9, 1, 0, 1, THEIRS)[:37] + b"\0", E.KIND),
        (C.ACCEPT, NEXT_G.beacon(9, 1, 0, 1, THEIRS)[:37] + b"\0", E.KIND),
        *((C.ACCEPT, theirs(NEXT_G, 0, kind=kind).header + b"\0", E.KIND) for kind in (HOUSEKEEPING, MESSAGE)),
        *((C.CONTROL, theirs(NEXT_G, 0, kind=kind).capsule, E.KIND) for kind in (DATA, HOUSEKEEPING, MESSAGE)),
        (C.OPEN_BEGIN, theirs(NEXT_G, 0, n=3).header + b"\0", E.DUPLICATE),  # numbers go on over generations
        (C.OPEN_BEGIN, theirs(FIRST_G, AHEAD + 1).header + LEAVE, E.TOO_FAR),
        (C.OPEN_BEGIN, theirs(FIRST_G, AHEAD + 1).header + b"\7", opens(9, 1, VERNAM, DATA, at(FIRST_G, AHEAD + 1))),
        (C.OPEN_CHUNK, incoming(0, 1, theirs(FIRST_G, AHEAD + 1).chunks[0]), b"x"),
    )
    life.enter(CUTTING)
    life.show()
    after_a_revocation(life)
    return life


def window_of(lane: int, top: int) -> bytes:
    return struct.pack(">H", lane) + top.to_bytes(6) + (1).to_bytes(32)


def after_a_revocation(life: NetworkLife) -> None:
    thief = theirs(CUTTING, 0, lane=4).header
    missing = Generation(7, bytes(32), PLAIN, (3, 5))
    life.say(
        life.present_status(),
        *((C.OPEN_BEGIN, theirs(of, 0).header + LEAVE, E.CUT) for of in (FIRST_G, NEXT_G)),
        (C.OPEN_KEYS, theirs(FIRST_G, 0).header + b"\0", E.CUT),
        (C.ACCEPT, theirs(FIRST_G, 0).header + b"\0", E.CUT),
        *opening(FIRST_G, 0, VOUCHED),
        *opening(CUTTING, 0, n=3),  # its windows are empty
        (C.OPEN_BEGIN, thief + b"\7", E.REVOKED),
        (C.ACCEPT, thief + b"\1", E.REVOKED),
        (C.OPEN_BEGIN, theirs(FIRST_G, 0, lane=4).header + b"\7", E.REVOKED),
        (C.CONTROL, CUTTING.beacon(4, 1, 0, 1, THEIRS), E.REVOKED),
        (C.CONTROL, FIRST_G.beacon(4, 1, 0, 1, THEIRS), E.REVOKED),
        (C.CONTROL, CUTTING.beacon(OWN_LANE, 1, 0, 1, THEIRS), E.REFLECTED),
        key_chunk(FIRST_G, 0, E.CUT),
        key_chunk(CUTTING, 0),
        (C.NOTICE, noticed(NEXT_G), E.STALE),
        (C.NOTICE, noticed(missing), E.ROSTER),
        (C.NOTICE, noticed(Generation(8, bytes(32))), E.ROSTER),
        life.present_status(),
    )


def merges() -> Conversation:
    """Enter a merge, which brings generations that went past this one; six past ones are kept."""
    life = a_newcomer()
    sides = [Generation(g, bytes([g]) * 32, CUBES if g % 2 else PLAIN, many(g - 2)) for g in range(2, 8)]
    merge = Generation(8, bytes([8]) * 32, PLAIN, many(6))
    life.enter(merge, sides)
    life.show()
    life.say(life.present_status(), *opening(sides[-1], 3, VOUCHED), *opening(sides[0], 0, VOUCHED))
    life.say((C.OPEN_BEGIN, theirs(FIRST_G, 0).header + b"\7", E.HEADER))
    life.enter(Generation(12, bytes([12]) * 32, PLAIN, many(6)), [FIRST_G, sides[2], sides[3]])
    life.say(life.present_status(), *opening(merge, 0))
    life.say((C.OPEN_BEGIN, theirs(sides[0], 0).header + b"\7", E.HEADER))
    return life


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


def largest() -> Conversation:
    """Enter generations with 96 revoked lanes and 6 others, with all windows and binding ids that a unit keeps."""
    life = a_newcomer()
    known = b""
    for lane in SENDERS[1:]:
        known += struct.pack(">H", lane) + SECOND.id
        life.say((C.TRUST, struct.pack(">H", lane) + SECOND.id, b""))
        life.flash.append(MEMBER_IDS, known)
    accept_all(life, FIRST_G)
    sides = [Generation(g, bytes([g]) * 32, CUBES, many(96)) for g in range(2, 8)]
    first, second = (Generation(g, bytes([g]) * 32, CUBES, many(96)) for g in (10, 14))
    life.enter(first, sides)
    life.say(life.present_status())
    accept_all(life, first)
    life.enter(second)
    life.show()
    life.say(life.present_status(), (C.OPEN_BEGIN, theirs(second, 0).header + b"\0", E.DUPLICATE))
    life.restart()
    life.open_session()
    life.say(life.present_status(), *opening(sides[-1], 0, VOUCHED, n=2))
    return life


def accept_all(life: NetworkLife, of: Generation) -> None:
    for slot, lane in enumerate(SENDERS):
        life.say((C.ACCEPT, theirs(of, 0, lane=lane).header + b"\0", b""))
        life.flash.append(WINDOWS + slot, window_of(lane, 1))


def interrupted(point: str) -> tuple[Conversation, Flash]:
    """Cut the power while a generation is entered; the next UNLOCK completes it, or removes what is left of it."""
    life = a_newcomer()
    life.enter(NEXT_G)
    life.say((C.ACCEPT, theirs(NEXT_G, 0).header + b"\0", b""))
    life.flash.append(WINDOWS, window_of(9, 1))
    present, past = life.present, list(life.past)
    life.leave(CUTTING)
    if point != "commit":
        life.commit()
    if point == "second compaction":
        life.begin_to_settle()
    before = copy.deepcopy(life.flash)
    if point == "second compaction":
        assert life.present
        life.present = life.present._replace(settled=2)
        life.flash.bodies[GENERATION] = life.present.body
    life.start_anew()
    life.open_session()
    if point == "commit":
        life.present, life.past = present, past
        life.flash.compact()
        life.flash.append(PAST_GENERATIONS, past_body(past))
    else:
        life.settle()
    life.show()
    life.say(life.present_status())
    if point == "commit":
        life.say(*opening(FIRST_G, 0, n=2))
        life.enter(CUTTING)
    after_a_revocation(life)
    return life, before


def state_of_format_3() -> tuple[Conversation, Flash]:
    """Take over the state of a unit of protocol 3.0, whose format changes before the first record of a generation."""
    life = NetworkLife()
    life.resume()
    life.found(Generation(0, DEMO.network.secret, PLAIN, (), (DEMO.network.p1, DEMO.network.p2)))
    life.format = 3
    flash = life.flash
    flash.binding = FIRST
    flash.append(STATE_FORMAT, struct.pack(">BI", 3, 0))
    flash.append(MEMBERSHIP, MEMBER)
    flash.append(BINDING, binding_body(FIRST, unit_salt(FIRST), settled=1))
    before = copy.deepcopy(flash)
    life.start()
    life.open_session()
    life.say(life.present_status(), *opening(life.generation, 0))
    life.tick(1, SLAVE, 0, 0)
    life.show()
    flash.append(STATE_FORMAT, state_format(flash.erases))
    life.renew()
    life.show()
    life.format = FORMAT
    life.restart()
    life.open_session()
    life.say(life.present_status())
    return life, before


def make_commands() -> dict[str, Any]:
    """Return one conversation with a new unit: requests and answers."""
    life = NetworkLife()
    one_life(life)
    in_a_network(life)
    return {
        "about": "conversation with a new unit (PROTOCOL.md sections 4 to 7, 11). " + ABOUT_STEPS,
        "uid": UID.hex(),
        "entropy": ENTROPY.hex(),
        "bindings": [FIRST.in_hex(), SECOND.in_hex()],
        "steps": life.steps,
    }


def in_a_network(life: NetworkLife) -> None:
    life.enrol(Enrolment(OWN_LANE, 1))
    life.open_session()
    life.say((C.HINT, named(1), hint(key_of(1))))
    life.enter(FIRST_G)
    life.tick(0, SLAVE, 0, 0)
    life.renew()
    life.tick(0, MASTER, 1, OWN_LANE, beacon=True)
    life.hear(9, 1, 1, 1, HEARD)
    life.set_mode(MONITOR)
    life.say(*opening(FIRST_G, 0), *opening(FIRST_G, 1))


NETWORKS: dict[str, Callable[[], tuple[Conversation, Flash | None]]] = {
    **{
        talk.__name__: lambda talk=talk: (talk(), None)
        for talk in (enrolling, generations, merges, largest, epochs, roles, refused_beacons, a_network_of_before)
    },
    "state of format 3": state_of_format_3,
    **{
        f"power cut before the {point} of a generation": lambda point=point: interrupted(point)
        for point in ("commit", "first compaction", "second compaction")
    },
}
