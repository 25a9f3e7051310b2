# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What all parts of an agent share: its unit, its store, its clock, and the output of the present step."""

from collections.abc import Callable
from random import Random

from ndks_protocol.wire import HOUSEKEEPING, MONITOR, SLAVE

from .checking import Checking
from .events import Event, Output
from .limits import Limits
from .packets import Ask, Report, Voucher
from .pieces import split
from .store import Store
from .unit import Ticked, Unit


class Station:
    """`now` is in ticks since the agent's start; `epoch` is that of the unit after the last tick, None: it has none."""

    def __init__(self, unit: Unit, store: Store, random: Random, limits: Limits, may_seal: Callable[[], bool]) -> None:
        self.unit, self.store, self.random, self.limits, self.may_seal = unit, store, random, limits, may_seal
        self.checking = Checking(store)
        self.lane = 0
        self.now = 0
        self.output = Output()
        self.epoch: int | None = None
        self.held = frozenset[int]()
        self.ticked = Ticked(SLAVE, 0, 0, 0, 0, b"")

    def look(self) -> None:
        """Read from the unit what only a new generation or a new session changes."""
        self.lane = self.unit.lane
        self.epoch = self.unit.epoch
        self.held = frozenset(self.unit.held())

    @property
    def g(self) -> int:
        """The unit's generation, or -1."""
        return -1 if self.epoch is None else self.epoch >> 16

    @property
    def is_silent(self) -> bool:
        """Whether this unit only listens: nothing is asked for or reported in its name."""
        return self.ticked.role == MONITOR

    def publish(self, packet: bytes, *, passing: bool = False) -> None:
        parts = split(packet, self.limits.piece)
        self.output.packets += parts
        if passing:
            self.output.passing.update(parts)

    def say(self, body: Report | Voucher | Ask) -> None:
        """Seal something between hosts, and publish it."""
        if self.g >= 0 and not self.is_silent:
            passing = not isinstance(body, Voucher)  # which stays valid for its capsule
            self.publish(self.unit.seal(HOUSEKEEPING, body.packed()).capsule, passing=passing)

    def tell(self, event: Event) -> None:
        self.output.events.append(event)

    def slot(self) -> int:
        """Return up to 16 ticks: only a few are first, however many there are (as with masters)."""
        return self.random.getrandbits(self.limits.slot_bits).bit_length()
