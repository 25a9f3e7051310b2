# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A long run: rare requests many times, then requests of all kinds in random order."""

import random
from collections import Counter
from collections.abc import Callable, Iterator

from ndks.exceptions import DeviceError
from ndks_protocol.commands import AES, MAX_CHUNK, VERNAM

from .chip_unit import ChipUnit
from .host import Host
from .measures import Say
from .member import Member
from .memory import heap_of, largest_block
from .report import Stage
from .symbols import Symbols

RARE = 200
REQUESTS = 10_000
STEP = 1_000
_DIGITS = 3


def soak(flash: bytes, symbols: Symbols, say: Say) -> Iterator[Stage]:
    """Yield the state at the start of the session, after the rare requests, and after each thousand of the others."""
    host = Host(ChipUnit(bytearray(flash), symbols))
    host.provision(_DIGITS)
    host.start_session()
    run = _Run(Member(host))
    yield run.stage()
    say(f"{RARE} rare requests")
    for _ in range(RARE):
        run.attempt(run.member.trust)
    yield run.stage()
    host.requests = 0
    chosen = random.Random(1)
    for thousand in range(STEP, REQUESTS + 1, STEP):
        say(f"{thousand} of {REQUESTS} requests")
        while host.requests < thousand:
            run.attempt(chosen.choice(run.kinds))
        yield run.stage()


class _Run:
    def __init__(self, member: Member) -> None:
        self.member = member
        self._errors: Counter[str] = Counter()
        often = (member.next_key, lambda: member.new_key(MAX_CHUNK), member.seal, lambda: member.seal(cipher=AES))
        opening = (lambda: member.open(VERNAM), lambda: member.open(AES), member.open_in_mode_a, member.accept)
        rare = (member.trust, member.bind, member.session, member.status, lambda: member.seal_in_mode_a(AES))
        self.kinds: list[Callable[[], object]] = [*often, *often, *opening, *rare]

    def attempt(self, operation: Callable[[], object]) -> None:
        """Do something; count its error, and go on in a new session."""
        try:
            operation()
        except DeviceError as error:
            self._errors[error.code] += 1
            self.member.session()
        except TimeoutError:
            self._errors["no answer"] += 1
            self.member.unit.wait()
            self.member.host.end_session()
            self.member.session()

    def stage(self) -> Stage:
        free, heap = self.member.status(), heap_of(self.member.unit)
        errors = ", ".join(f"{count} {code}" for code, count in self._errors.items())
        return Stage(self.member.host.requests, free, largest_block(free, heap), heap.holes, errors)
