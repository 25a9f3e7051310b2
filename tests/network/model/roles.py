# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Who beacons: role, term and master of a unit, in RAM only (NETWORK: roles)."""

from collections.abc import Callable

from .rules import BEACON, LAST_TERM, SILENCE, holds

Draw = Callable[[], int]  # a random u16


class Roles:
    """The state of a session."""

    def __init__(self, lane: int, draw: Draw) -> None:
        self.lane, self._draw = lane, draw
        self.enter(was_master=False)

    def enter(self, *, was_master: bool) -> None:
        """Begin a session or a generation; who led leads again."""
        self.term = self.master = self._heard = 0
        self.due = False
        if was_master:
            self.silence = self.patience = 0
        else:
            self._wait()

    @property
    def is_master(self) -> bool:
        return self.master == self.lane

    def _wait(self) -> None:
        """Wait for a master; the more units wait, the earlier is the first of them, and still few are first."""
        self.silence, self.patience = 0, SILENCE + max(1, self._draw().bit_length())

    def stop(self) -> None:
        """Be a monitor from now on."""
        if self.is_master:
            self.master = self._heard = 0
            self.due = False
            self._wait()

    def lead(self) -> None:
        self.term, self.master, self._heard = min(self.term + 1, LAST_TERM), self.lane, 0
        self.due = True

    def tick(self, ticks: int) -> bool:
        """Let time pass; return whether to beacon."""
        self.silence += ticks
        if self.is_master:
            self.due = self.due or self.silence >= BEACON
        elif self.silence >= self.patience:
            self.lead()
        beacons = self.due
        if beacons:
            self.due, self.silence = False, 0
        return beacons

    def hear(self, lane: int, n: int, term: int, *, lags: bool) -> str:
        """Take a beacon of another member; return "lower" for one of lower rank, else "heard"."""
        rank, own = (term, lane), (self.term, self.master)
        if rank < own:
            self.due = self.due or self.is_master
            return "lower"
        fresh = n > self._heard or lane != self.master or not holds("a repeated beacon is no sign of life")
        if rank > own:
            self.term, self.master, self._heard, self.due = term, lane, 0, False
            self._wait()
        if fresh and not (lags and holds("a master that lags is silent")):
            self._heard = n
            self._wait()
        return "heard"
