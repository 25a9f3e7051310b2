# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Sets of numbers as spans: a forged number may be 2^47, and nothing may count up to it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

Span = tuple[int, int]  # first and last


class Spans:
    """A set of whole numbers, kept as sorted spans that do not touch."""

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in spans:
            self.add(first, last)

    def __contains__(self, number: int) -> bool:
        return self.end_of(number) is not None

    def __bool__(self) -> bool:
        return bool(self._firsts)

    def __iter__(self) -> Iterator[Span]:
        return zip(self._firsts, self._lasts, strict=True)

    @property
    def first(self) -> int:
        """The lowest number. IndexError: there is none."""
        return self._firsts[0]

    @property
    def top(self) -> int:
        """The highest number, or 0."""
        return self._lasts[-1] if self._lasts else 0

    def end_of(self, number: int) -> int | None:
        """Return the last number of the span that has this one; None: there is none."""
        place = bisect_right(self._firsts, number) - 1
        return self._lasts[place] if place >= 0 and number <= self._lasts[place] else None

    def add(self, first: int, last: int) -> tuple[list[int], Span]:
        """Add a span; return the first numbers of the spans that it replaces, and the span that is there now."""
        if first > self.top + 1:  # as when a store is read
            self._firsts.append(first)
            self._lasts.append(last)
            return [], (first, last)
        start = bisect_left(self._lasts, first - 1)
        end = bisect_right(self._firsts, last + 1)
        gone = self._firsts[start:end]
        if gone:
            first, last = min(first, gone[0]), max(last, self._lasts[end - 1])
        self._firsts[start:end], self._lasts[start:end] = [first], [last]
        return gone, (first, last)

    def between(self, first: int, last: int) -> Iterator[Span]:
        """Yield the parts of this set from `first` to `last`."""
        for place in range(bisect_left(self._lasts, first), len(self._firsts)):
            if self._firsts[place] > last:
                return
            yield max(first, self._firsts[place]), min(last, self._lasts[place])

    def without(self, others: "Iterable[Spans]") -> "Spans":
        """Return the numbers that none of the others has."""
        left = list(self)
        for other in others:
            left = [part for span in left for part in other.gaps_in(*span)]
        return Spans(left)

    def gaps_in(self, first: int, last: int) -> Iterator[Span]:
        """Yield the parts from `first` to `last` that are not in this set."""
        for begin, end in self.between(first, last):
            if first < begin:
                yield first, begin - 1
            first = end + 1
        if first <= last:
            yield first, last

    def numbers(self, most: int) -> Iterator[int]:
        """Yield the lowest numbers, at most so many."""
        for first, last in self:
            yield from range(first, min(last, first + most - 1) + 1)
            most -= last - first + 1
            if most <= 0:
                return
