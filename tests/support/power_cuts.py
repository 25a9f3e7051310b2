# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A plugin of pytest: the fixture `power_cuts`, by which any test has the power cut at any step of flash.

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
    """What the power can be cut of."""

    ended: bool  # whether its last operation ended

    def clone(self) -> Self: ...

    def steps_of(self, operation: Callable[[Any], object]) -> int:
        """How many steps of flash this takes."""
        ...

    def survives(self, steps: int, operation: Callable[[Any], object]) -> None:
        """Do something with power for so many steps; `ended` says whether it ended. Then the power is back."""
        ...

    def look(self) -> Any:
        """All of it that has to be the old or the new, and changes nothing."""
        ...


Subject = TypeVar("Subject", bound=Cuttable)
Operation = Callable[[Subject], object]


class PowerCuts:
    """Cuts the power, and counts how often it did."""

    def __init__(self) -> None:
        self.tried = 0

    def points(self, total: int, at_most: int, first: int = 0, in_full: int | None = None) -> Iterator[int]:
        """The steps after which to cut an operation that takes `total`: all of them, or some.

        `in_full` is for how many `make test-full` has the time where all would take days.
        """
        most = (in_full or total + 1) if FULL else at_most
        stride = _prime_from(math.ceil((total + 1) / most))
        for steps in range(first % stride, total + 1, stride):
            self.tried += 1
            yield steps

    def cuts(self, subject: Subject, operation: Operation, at_most: int, first: int = 0) -> Iterator[Subject]:
        """Clones in which this operation was cut, each at a later step than the one before; in the last, it was not."""
        for steps in self.points(subject.steps_of(operation), at_most, first):
            cut = subject.clone()
            cut.survives(steps, operation)
            yield cut
        whole = subject.clone()
        operation(whole)
        yield whole

    def check(self, subject: Subject, operation: Operation, at_most: int, first: int = 0) -> list[Subject]:
        """Cut everywhere: each time there is what was before, or what this operation makes, and nothing else."""
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
        """Cut everywhere, and once more while it starts again and the operation is repeated."""
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
