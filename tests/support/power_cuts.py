# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A pytest plugin: the fixture `power_cuts`, with which any test can cut the power at any step of flash.

`make test-full` tries all cuts, others some, a prime number of steps apart. The end of a run says how many were tried.
"""

import math
import os
from collections.abc import Callable, Iterator
from typing import Any, Protocol, Self, TypeVar

import pytest

FULL = os.environ.get("NDKS_TEST_FULL") == "1"
_PROPERTY = "power cuts"  # of a test, for the report of how many it tried


class Cuttable(Protocol):
    """A subject whose power can be cut."""

    ended: bool  # whether its last operation ended

    def clone(self) -> Self: ...

    def steps_of(self, operation: Callable[[Any], object]) -> int:
        """Return the number of steps of flash of an operation."""
        ...

    def survives(self, steps: int, operation: Callable[[Any], object]) -> None:
        """Run an operation with power for some steps, then restore the power; `ended` tells whether it was complete."""
        ...

    def look(self) -> Any:
        """Return the state that must be the old or the new one; this changes nothing."""
        ...


Subject = TypeVar("Subject", bound=Cuttable)
Operation = Callable[[Subject], object]


class PowerCuts:
    """Cuts the power, and counts the cuts."""

    def __init__(self) -> None:
        self.tried = 0

    def points(self, total: int, at_most: int, first: int = 0, in_full: int | None = None) -> Iterator[int]:
        """Return the steps after which to cut an operation of `total` steps: all, or a sample.

        `in_full` limits the number for `make test-full`, if all of them would take days.
        """
        most = (in_full or total + 1) if FULL else at_most
        stride = _prime_from(math.ceil((total + 1) / most))
        for steps in range(first % stride, total + 1, stride):
            self.tried += 1
            yield steps

    def cuts(self, subject: Subject, operation: Operation, at_most: int, first: int = 0) -> Iterator[Subject]:
        """Yield clones in which this operation was cut, each at a later step; in the last one it was complete."""
        for steps in self.points(subject.steps_of(operation), at_most, first):
            cut = subject.clone()
            cut.survives(steps, operation)
            yield cut
        whole = subject.clone()
        operation(whole)
        yield whole

    def check(self, subject: Subject, operation: Operation, at_most: int, first: int = 0) -> list[Subject]:
        """Cut at every step: the state must be that before or that after the operation."""
        old = subject.look()
        cuts = list(self.cuts(subject, operation, at_most, first))
        new = cuts[-1].look()
        views = [cut.look() for cut in cuts]
        for cut, view in zip(cuts, views, strict=True):
            assert view in (old, new)
            assert view == new or not cut.ended
        assert sorted(views, key=lambda view: view == new) == views, "once new, always new"
        return cuts

    def check_pairs(
        self, subject: Subject, operation: Operation, at_most: int, second: Operation | None = None
    ) -> None:
        """Cut at every step, and a second time during the next start and the repeated operation."""
        each = max(3, math.isqrt(at_most))
        for position, cut in enumerate(self.cuts(subject, operation, max(3, at_most // each))):
            self.check(cut, second or operation, each, first=7 * position)


@pytest.fixture
def power_cuts(record_property: Callable[[str, object], None]) -> Iterator[PowerCuts]:
    cuts = PowerCuts()
    yield cuts
    record_property(_PROPERTY, cuts.tried)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    ends = [report for report in terminalreporter.getreports("") if report.when == "teardown"]
    tried = sum(dict(report.user_properties).get(_PROPERTY, 0) for report in ends)
    if tried:
        which = "all of them" if FULL else "some, a prime number of steps apart; NDKS_TEST_FULL=1 tries all"
        terminalreporter.write_line(f"power cuts tried: {tried} ({which})")


def _prime_from(least: int) -> int:
    if least <= 1:
        return 1
    return next(n for n in range(least, 2 * least + 1) if all(n % d for d in range(2, math.isqrt(n) + 1)))
