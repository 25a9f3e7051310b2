# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Conversations with units that are enrolled and enter generations, for the golden vectors."""

import copy
import struct

from capsule_reference import VERNAM
from command_vectors import (
    acknowledgement,
    begin,
    chunk_request,
    incoming,
    opens,
)
from conversation import (
    DEMO,
    FIRST,
    MEMBER,
    OWN_LANE,
    SECOND,
    Conversation,
    Step,
    binding_body,
    sealed,
    unit_salt,
)
from enrolment_vectors import Enrolment, bad_fields
from flash_reference import (
    BINDING,
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
    MESSAGE,
    Generation,
    hint,
)
from network_steps import (
    AHEAD,
    CUTTING,
    FIRST_G,
    LEAVE,
    NEXT_G,
    RELAY,
    SENDERS,
    VOUCHED,
    a_newcomer,
    at,
    key_chunk,
    named,
    noticed,
    opening,
    theirs,
)
from network_vectors import CUBES, GENERATIONS, PLAIN, bad_notices, many
from wire_codes import C, E


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
        (C.ROLE, b"\3", E.NO_EPOCH),
        (C.KEY_CHUNK, chunk_request(0, 0, 0), E.NO_EPOCH),
        (C.ACKNOWLEDGE, acknowledgement(1, allow_jump=2), E.RANGE),
        (C.SEAL_BEGIN, begin("1st-mess", VERNAM, 4), E.NO_EPOCH),
        (C.SEAL_KEYS, begin("1st-mess", VERNAM, CONTROL), E.NO_EPOCH),
        (C.OPEN_BEGIN, message.header + b"\10", E.RANGE),
        (C.ACCEPT, message.header + b"\2", E.RANGE),
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


def interrupted(compaction: int) -> tuple[Conversation, Flash]:
    """Cut the power before a compaction, when a generation is entered already: the next UNLOCK settles."""
    life = a_newcomer()
    life.enter(NEXT_G)
    life.say((C.ACCEPT, theirs(NEXT_G, 0).header + b"\0", b""))
    life.flash.append(WINDOWS, window_of(9, 1))
    life.leave(CUTTING)
    life.commit()
    entered = life.present
    if compaction == 2:
        life.begin_to_settle()
    before = copy.deepcopy(life.flash)
    assert entered
    life.present, life.flash.bodies[GENERATION] = entered, entered.body
    life.start_anew()
    life.open_session()
    life.settle()
    life.show()
    life.say(life.present_status())
    after_a_revocation(life)
    return life, before


def cut_before_the_commit(count: int) -> tuple[Conversation, Flash]:
    """Cut the power between records 21 and 20: the next UNLOCK goes back to the past of before, so many generations."""
    life = a_newcomer()
    for g in range(2, 2 + count):
        life.enter(Generation(g, bytes([g]) * 32))
    new = Generation(20, bytes([20]) * 32, PLAIN, (4,))
    present, past = life.present, list(life.past)
    life.leave(new)
    before = copy.deepcopy(life.flash)
    assert present
    life.start_anew()
    life.open_session()
    life.present, life.past = present._replace(settled=0), past
    life.commit()
    life.flash.append(PAST_GENERATIONS, past_body(past))
    life.settle()
    life.show()
    life.say(life.present_status(), *(step for each in past for step in opening(each.generation, 0)))
    life.enter(new)
    life.show()
    life.say(life.present_status())
    return life, before


def cut_before_the_first_commit() -> tuple[Conversation, Flash]:
    """Cut the power when a first notice has brought other generations: nothing of them is left by the next UNLOCK."""
    life = NetworkLife()
    life.enrol(Enrolment(OWN_LANE, 5))
    life.leave(CUTTING, [FIRST_G, NEXT_G])
    before = copy.deepcopy(life.flash)
    life.present, life.past = None, []
    life.start_anew()
    life.open_session()
    life.flash.leave_out(PAST_GENERATIONS)
    life.show()
    life.say(life.present_status(), (C.NEXT_INDEX, b"", E.NO_EPOCH))
    life.enter(CUTTING, [FIRST_G])
    life.say(life.present_status(), *opening(FIRST_G, 0, VOUCHED))
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
