# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Units of networks for conversations: what they answer, and what lies in their flash (PROTOCOL.md section 11)."""

import struct
from collections.abc import Sequence

import conversation
from capsule_reference import VERNAM, Message
from command_vectors import OWN_SALT
from conversation import FIRST, NO_GENERATION, OWN_LANE, UNLOCKED_STATE, Conversation, Step, binding_body, sealed, text
from conversation import HELD as HELD_GENERATIONS
from enrolment_vectors import Enrolment
from flash_reference import BINDING, MEMBERSHIP, MESSAGE_COUNTER, STATE_FORMAT, WINDOWS, state_format
from generation_records import FIRST_KEY, GENERATION, PAST_GENERATIONS, Past, Present, first_key_body, past_body
from network_reference import (
    DATA,
    MOVES,
    PAST,
    Generation,
    member_key,
    network_id,
    notice,
    notice_data,
)
from network_vectors import ROOT
from record_vectors import Life
from wire_codes import C

SALT = conversation.ENTROPY[:8]  # of a beacon that the unit makes
SLAVE = 0
THEIRS = b"saltsalt"


def key_of(g: int) -> bytes:
    """Return the unit's member key of a generation."""
    return member_key(ROOT, OWN_LANE, g)


class NetworkLife(Life):
    """A unit of a network with an administrator, and its flash."""

    def __init__(self) -> None:
        super().__init__()
        self.enrolment = Enrolment(OWN_LANE, 1)
        self.present: Present | None = None
        self.past: list[Past] = []
        self.next_number, self.reserved = 1, 1

    def enrol(self, enrolment: Enrolment) -> None:
        """Add JOINING_KEY, an anonymous session, and ENROL, which ends it."""
        self.enrolment = enrolment
        self.make_joining_key()
        self.open_anonymously()
        self.accept_package()

    def accept_package(self) -> None:
        """Add ENROL in the present session."""
        package = sealed(self.joining_key, self.enrolment.fields)
        self.say((C.ENROL, FIRST.secret + package, struct.pack(">HH", self.enrolment.lane, self.enrolment.g)))
        Conversation.become_a_member(self, FIRST)
        flash, enrolment = self.flash, self.enrolment
        flash.clear()
        flash.binding = FIRST
        flash.append(STATE_FORMAT, state_format(flash.erases))
        flash.append(MEMBERSHIP, self.membership_record)
        flash.append(FIRST_KEY, first_key_body(enrolment.g, enrolment.key, enrolment.mode))
        flash.append(BINDING, binding_body(FIRST, self.salt, settled=1))
        flash.restart()

    def restart(self) -> None:
        super().restart()
        self.next_number = self.reserved

    def start_anew(self) -> None:
        """Begin the conversation with the next start of the unit."""
        self.steps = []
        self.restart()
        self._before = {}

    @property
    def membership_record(self) -> bytes:
        """Return the body of record 01: no secret, and epoch 0."""
        enrolment = self.enrolment
        numbers = struct.pack(">IHBBB", 0, OWN_LANE, enrolment.suite, enrolment.cipher, enrolment.operators.digits)
        texts = text(enrolment.name) + text(enrolment.p1) + text(enrolment.p2)
        return numbers + bytes(32) + texts + bytes(enrolment.operators[1:])

    @property
    def generation(self) -> Generation:
        assert self.present
        return self.present.generation

    @property
    def epoch(self) -> int:
        """Return the present epoch as it is on the line."""
        assert self.present
        return self.generation.g << 16 | self.present.number

    def enter(self, new: Generation, merged: Sequence[Generation] = ()) -> None:
        """Add NOTICE, and what it does to flash."""
        capsule = notice(key_of(new.g), new.g, notice_data(new, merged), THEIRS)
        self.say((C.NOTICE, struct.pack(">H", new.g) + capsule, struct.pack(">I", new.g << 16)))
        self.leave(new, merged)
        self.commit()
        self.settle()

    def leave(self, new: Generation, merged: Sequence[Generation] = ()) -> None:
        """Write record 21, and prepare record 20."""
        mode, known = self.enrolment.mode, ()
        if self.present:
            mode, known = self.present.mode, self.generation.revoked
            self.past.append(Past(self.generation, self.present.number, self.present.low))
        held = {each.generation.g for each in self.past}
        self.past += [Past(side) for side in merged if side.g not in held]
        self.past = sorted(self.past, key=lambda each: -each.generation.g)[:PAST]
        settled = 2 if len(new.revoked) > len(known) else 0
        self.present = Present(new, key_of(new.g + 1), mode=mode, settled=settled)
        if self.past:
            past = PAST_GENERATIONS, past_body(self.past)
            self.flash.make_room(past, (GENERATION, self.present.body))
            self.flash.append(*past)

    def commit(self) -> None:
        assert self.present
        self.flash.append(GENERATION, self.present.body)

    def settle(self) -> None:
        """Write all records anew, until nothing of an earlier record 20, 21 or 22 is left."""
        self.begin_to_settle()
        self.flash.compact()

    def begin_to_settle(self) -> None:
        """Write them once: the other file, and so what it has of earlier ones, comes next."""
        assert self.present
        flash = self.flash
        flash.bodies.pop(FIRST_KEY, None)
        flash.bodies[MEMBERSHIP] = self.membership_record
        flash.bodies[BINDING] = flash.bodies[BINDING][:-2] + bytes([self.generation.operators.digits, 1])
        if self.present.settled == 2:
            for kind in [kind for kind in flash.bodies if WINDOWS <= kind < GENERATION]:
                del flash.bodies[kind]
        flash.compact()
        self.present = self.present._replace(settled=1)
        flash.bodies[GENERATION] = self.present.body

    def move(self, number: int) -> None:
        """Note a move to another epoch, and what it does to flash."""
        assert self.present
        moves = (*self.present.moves, self.present.number)[-MOVES:]
        low = moves[0] if len(moves) == MOVES else self.present.low
        gives_up = low > self.present.low
        self.present = self.present._replace(number=number, moves=moves, low=low, settled=0 if gives_up else 1)
        if GENERATION not in self.flash.bodies:
            self.present = self.present._replace(settled=0)
        self.commit()
        if not self.present.settled:
            self.settle()

    def found(self, generation: Generation) -> None:
        """Note that the unit was provisioned: it has one generation, and no record of it yet."""
        self.enrolment = Enrolment(OWN_LANE, 0)
        self.present = Present(generation, bytes(32))

    def set_mode(self, mode: int) -> None:
        """Add ROLE, and what it does to flash."""
        assert self.present
        self.say((C.ROLE, bytes([mode]), b""))
        self.present = self.present._replace(mode=mode)
        self.commit()

    def renew(self) -> None:
        assert self.present
        self.say((C.RENEW, b"", struct.pack(">I", self.epoch + 1)))
        self.move(self.present.number + 1)

    def take_number(self) -> int:
        """Return the unit's next own number."""
        if self.next_number == self.reserved:
            self.reserved += 64
            self.flash.append(MESSAGE_COUNTER, struct.pack(">IQ", 0, self.reserved))
        self.next_number += 1
        return self.next_number - 1

    def tick(self, ticks: int, role: int, term: int, master: int, *, beacon: bool = False) -> None:
        """Add TICK; `beacon`: the unit gives one."""
        assert self.present
        capsule = b""
        if beacon:
            capsule = self.generation.beacon(OWN_LANE, self.take_number(), self.present.number, term, SALT)
        head = struct.pack(">BIHIH", role, self.epoch, len(self.generation.revoked), term, master)
        self.say((C.TICK, struct.pack(">H", ticks), head + capsule))

    def wait_ticks(self, ticks: int, role: int = SLAVE, term: int = 0, master: int = 0) -> None:
        """Add TICK as often as so many ticks need."""
        for _ in range(ticks // 16):
            self.tick(16, role, term, master)
        if ticks % 16:
            self.tick(ticks % 16, role, term, master)

    def hear(self, lane: int, n: int, number: int, term: int, event: int) -> None:
        """Add CONTROL with a beacon of the present generation."""
        self.say((C.CONTROL, self.generation.beacon(lane, n, number, term, THEIRS), bytes([event])))

    def own(self, data: bytes, kind: int = DATA, cipher: int = VERNAM) -> Message:
        """Return the message that the unit seals next."""
        assert self.present
        n, number = self.take_number(), self.present.number
        return self.generation.capsule(kind, number, OWN_LANE, n, data, OWN_SALT, FIRST.id, cipher=cipher)

    def present_status(self) -> Step:
        """Return STATUS of the open unit."""
        enrolment, present = self.enrolment, self.present
        head = struct.pack(">IHBB", self.epoch if present else 0, OWN_LANE, enrolment.suite, enrolment.cipher)
        ids, operators = bytes(8), enrolment.operators
        generation_id, held = bytes(8), list[int]()
        if present:
            secret, p1, p2 = self.generation.network(present.number)[:3]
            operators = self.generation.operators
            ids = network_id(secret, p1, p2, operators)
            generation_id, held = self.generation.id, [self.generation.g, *(each.generation.g for each in self.past)]
        about = head + bytes([operators.digits]) + text(enrolment.name) + ids
        line = struct.pack(">HHII", self.flash.end, 4064, 0, 0) + bytes(operators[1:])
        end = struct.pack(">QBIIQ", int.from_bytes(self.boots), 0, self.flash.erases, 0, self.next_number - 1)
        numbers = b"".join(struct.pack(">H", g) for g in held)
        end += generation_id + numbers + NO_GENERATION * (HELD_GENERATIONS - len(held))
        return C.STATUS, b"", bytes([UNLOCKED_STATE, 0]) + about + line + end
