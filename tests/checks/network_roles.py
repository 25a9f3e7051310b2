# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit of a network that predicts its own answers, from PROTOCOL.md section 11 alone: no code of the project."""

import struct

from capsule_reference import VERNAM
from command_vectors import begin, begins, incoming, opens
from generation_records import Past
from network_life import THEIRS, NetworkLife
from network_reference import DATA, LAST_NUMBER, Generation
from network_steps import AHEAD, MONITOR, PATIENCE, RELAY, at, key_chunk, noticed
from wire_codes import C, E

SILENT, BEACON, PAUSE, LONGEST = 16, 8, 64, 16
LAST_TERM = 0xFFFFFFFF
SLAVE, MASTER, MONITORING = 0, 1, 2
HEARD, MOVED, LOWER = 0, 1, 2
VOUCHED = 4


class PredictedLife(NetworkLife):
    """Each method sends one request; what is answered follows from all that was sent before."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = 0
        self.listen_anew()

    def listen_anew(self) -> None:
        """Begin a session."""
        self.since_move = PAUSE
        self.waiting = 0
        self.serve_nobody()

    def serve_nobody(self, patience: int = PATIENCE) -> None:
        """Be the slave of no master."""
        self.term = self.master = self.last = self.silence = 0
        self.is_due = False
        self.patience = patience

    @property
    def mode(self) -> int:
        assert self.present
        return self.present.mode

    @property
    def leads(self) -> bool:
        return self.master == self.enrolment.lane

    @property
    def number(self) -> int:
        assert self.present
        return self.present.number

    def lead(self) -> None:
        self.term = min(self.term + 1, LAST_TERM)
        self.master, self.last, self.is_due = self.enrolment.lane, 0, True

    def go_on(self) -> bool:
        """Move to the number that was heard, if it is time."""
        if self.waiting <= self.number or self.since_move < PAUSE:
            return False
        self.move(min(self.waiting, self.number + AHEAD, LAST_NUMBER))
        self.since_move = 0
        return True

    def pass_ticks(self, ticks: int) -> None:
        counted = min(ticks, LONGEST)
        self.since_move += counted
        self.go_on()
        if self.mode == MONITOR:
            self.tick(ticks, MONITORING, self.term, self.master)
            return
        self.silence += counted
        if not self.leads and self.silence >= self.patience:
            self.lead()
        gives = self.leads and (self.is_due or self.silence >= BEACON)
        if gives:
            self.is_due, self.silence = False, 0
        self.tick(ticks, MASTER if self.leads else SLAVE, self.term, self.master, beacon=gives)

    def hear_of(self, lane: int, n: int, number: int, term: int) -> None:
        """Add CONTROL with a beacon of the present generation."""
        capsule = self.generation.beacon(lane, n, number, term, THEIRS)
        if lane in self.generation.revoked:
            self.say((C.CONTROL, capsule, E.REVOKED))
            return
        self.waiting = max(self.waiting, number)
        moved = self.go_on()
        is_lower = self.take_rank(lane, n, number, term)
        self.say((C.CONTROL, capsule, bytes([MOVED if moved else LOWER if is_lower else HEARD])))

    def take_rank(self, lane: int, n: int, number: int, term: int) -> bool:
        """Return whether the rank of a beacon is lower than that of the master."""
        if (term, lane) < (self.term, self.master):
            self.is_due = self.is_due or self.leads
            return True
        is_new = (term, lane) > (self.term, self.master)
        if is_new:
            self.term, self.master, self.last, self.is_due = term, lane, 0, False
            self.silence = 0
        if n > self.last and number >= self.number:
            self.last, self.silence, self.patience = n, 0, PATIENCE
        elif is_new:
            self.patience = PATIENCE
        return False

    def begin_next(self) -> None:
        """Add RENEW."""
        if self.mode == MONITOR or self.number == LAST_NUMBER:
            self.say((C.RENEW, b"", E.RANGE))
        elif self.since_move < PAUSE:
            self.say((C.RENEW, b"", E.DELAYED))
        else:
            self.renew()
            self.since_move = 0
            if self.leads:
                self.is_due = True
            else:
                self.lead()

    def be(self, mode: int) -> None:
        """Add ROLE."""
        if mode == self.mode:
            self.say((C.ROLE, bytes([mode]), b""))
            return
        self.set_mode(mode)
        if mode == MONITOR and self.leads:
            term = self.term
            self.serve_nobody()
            self.term = term

    def notice(self, new: Generation) -> None:
        """Add NOTICE."""
        if new.g <= self.generation.g:
            self.say((C.NOTICE, noticed(new), E.STALE))
        elif not set(self.generation.revoked) <= set(new.revoked):
            self.say((C.NOTICE, noticed(new), E.ROSTER))
        else:
            was_master = self.leads
            self.enter(new)
            self.waiting = 0
            self.serve_nobody(0 if was_master else PATIENCE)

    def seal(self, kind: int) -> None:
        """Add SEAL_BEGIN."""
        if self.mode == RELAY and kind != 2 and not self.leads:
            self.lead()
        self.tokens += 1
        message, token = self.own(b"x", kind), f"{self.tokens:08}"
        self.say((C.SEAL_BEGIN, begin(token, VERNAM, kind), begins(message, self.epoch)))

    def open(self, past: Past | None, number: int, lane: int, n: int, flags: int) -> None:
        """Add OPEN_BEGIN and OPEN_CHUNK of a message of the present generation, or of a past one, in mode b."""
        of, low, highest = self.generation, self.low, self.number
        if past:
            of, low, highest = past.generation, past.low, past.number
        message = of.capsule(DATA, number, lane, n, b"x", THEIRS)
        error = self.refusal(past, lane, number, (low, highest), flags)
        if error:
            self.say((C.OPEN_BEGIN, message.header + bytes([flags | 3]), error))
            return
        answer = opens(lane, n, VERNAM, DATA, at(of, number))
        self.say((C.OPEN_BEGIN, message.header + bytes([flags | 3]), answer))
        self.say((C.OPEN_CHUNK, incoming(0, 1, message.chunks[0]), b"x"))
        if not past:
            self.waiting = max(self.waiting, number)
            self.go_on()

    def refusal(self, past: Past | None, lane: int, number: int, limits: tuple[int, int], flags: int) -> int:
        low, highest = limits
        if lane in self.generation.revoked:
            return E.REVOKED
        if number < low:
            return E.TOO_OLD
        if number > highest + AHEAD and not flags & VOUCHED:
            return E.TOO_FAR
        return E.CUT if past and self.is_cut(past) and not flags & VOUCHED else 0

    def is_cut(self, past: Past) -> bool:
        return len(past.generation.revoked) < len(self.generation.revoked)

    @property
    def low(self) -> int:
        assert self.present
        return self.present.low

    def read_key(self, past: Past | None, number: int) -> None:
        """Add KEY_CHUNK and NEXT_INDEX."""
        of, low, highest = self.generation, self.low, self.number
        if past:
            of, low, highest = past.generation, past.low, past.number
        error = 0
        if not low <= number <= highest:
            error = E.EPOCH
        elif past and self.is_cut(past):
            error = E.CUT
        self.say(key_chunk(of, number, error), (C.NEXT_INDEX, b"", struct.pack(">IQ", self.epoch, 1)))

    def start_again(self) -> None:
        """Cut the power, and open a session."""
        self.restart()
        self.open_session()
        self.listen_anew()
