# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What the parts of an agent share: its unit, its store, its clock, and what it publishes."""

from collections.abc import Callable
from random import Random
from typing import Any

from .packets import Bundle, Packet
from .store import Store
from .unit import Ticked, Unit

MOST_ASKED = 32  # numbers in one ask
WAIT = 256  # ticks that a bundle waits for the one before it
REST = 16  # ticks between two copies of the same thing
SLOW = 512  # ticks between repetitions of the newest bundle by the master's host
LONGEST_PAUSE = 128  # ticks between reports, and between asks
MOST_CANDIDATES = 64


class HostCrash(Exception):
    """The host stopped at a step of its store."""


class Station:
    """A host with its unit and its store. `crash_in` is the number of steps of the store until it crashes."""

    def __init__(self, unit: Unit, store: Store, random: Random, public: bytes) -> None:
        self.unit, self.store, self._random, self._public = unit, store, random, public
        self.start()

    def start(self) -> None:
        """Begin with what the store has; all else is lost."""
        self.crash_in: int | None = None
        self.out: list[Packet] = []
        self.now, self._report_at, self._pause, self._ask_at = 0, 0, 4, 0
        self._answered_at = self._repeated_at = self._shown_at = -SLOW
        self._asked: dict[int, tuple[int, int, tuple[int, ...]]] = {}
        self._sent_at: dict[int, int] = {}
        self._candidates: dict[tuple[Any, ...], tuple[Bundle, int]] = {}
        self._answer: tuple[int, int] | None = None
        self._unknown = False
        self._ticked: Ticked | None = None

    def _step(self) -> None:
        """Be at a place between two transactions."""
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                self.crash_in = None
                raise HostCrash

    def _do(self, work: Callable[..., None], *arguments: Any) -> list[Packet]:
        self.out = []
        work(*arguments)
        return self.out

    @property
    def g(self) -> int:
        """The unit's generation; before the first notice that before its own."""
        epoch = self.unit.epoch
        return self.store.base if epoch is None else epoch >> 16

    @property
    def _may_speak(self) -> bool:
        return self.unit.epoch is not None and self.unit.mode != "monitor"

    def _say(self, body: tuple[Any, ...], size: int) -> None:
        if self._may_speak:
            box, _ = self.unit.seal("housekeeping", body, size)
            self.out.append(box)

    def _slot(self) -> int:
        """Return z: few are first, however many wait."""
        return self._random.getrandbits(16).bit_length()
