# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Sets of numbers as spans are the sets, and take no time for large numbers."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from ndks.agent.spans import Spans

PAIRS = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 9)).map(lambda pair: (pair[0], sum(pair))), max_size=8)


def numbers(spans: Spans) -> set[int]:
    return {number for first, last in spans for number in range(first, last + 1)}


@given(PAIRS, PAIRS, PAIRS)
def test_they_are_sets(
    first: list[tuple[int, int]], second: list[tuple[int, int]], third: list[tuple[int, int]]
) -> None:
    spans = [Spans(pairs) for pairs in (first, second, third)]
    a, b, c = map(numbers, spans)
    assert numbers(spans[0].without(spans[1:])) == a - b - c
    assert {number for number in range(60) if number in spans[0]} == a
    assert list(spans[0].numbers(5)) == sorted(a)[:5]
    assert spans[0].top == max(a, default=0)
    assert bool(spans[0]) == bool(a)
    places = list(spans[0])
    assert all(last + 1 < first for (_, last), (first, _) in itertools.pairwise(places))


@given(PAIRS, st.tuples(st.integers(1, 40), st.integers(0, 9)))
def test_what_adding_replaces(pairs: list[tuple[int, int]], more: tuple[int, int]) -> None:
    spans = Spans(pairs)
    rows = dict(spans)
    gone, (first, last) = spans.add(more[0], sum(more))
    for old in gone:
        del rows[old]
    assert rows | {first: last} == dict(spans)
    assert first not in rows


def test_forged_numbers_cost_nothing() -> None:
    spans = Spans([(1, 1 << 47)]).without([Spans([(5, 5), (1 << 46, 1 << 46)])])
    assert list(spans.numbers(6)) == [1, 2, 3, 4, 6, 7]
    assert spans.first == 1
