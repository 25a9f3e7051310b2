# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the replay window against a set of accepted numbers."""

from hypothesis import given
from hypothesis import strategies as st

from ndks_protocol.capsule import Window
from ndks_protocol.commands import MAX_JUMP, WINDOW_SIZE
from ndks_protocol.errors import UnitError

LARGEST = (1 << 48) - 1

# Boundary values relative to the top: the edges of the window and of the largest jump.
near = st.one_of(
    st.integers(-300, 300),
    st.sampled_from([-WINDOW_SIZE - 1, -WINDOW_SIZE, 1 - WINDOW_SIZE, -1, 0, 1, WINDOW_SIZE - 1, WINDOW_SIZE]),
    st.integers(MAX_JUMP - 2, MAX_JUMP + 2),
    st.integers(-LARGEST, LARGEST),
)


class Model:
    def __init__(self) -> None:
        self.accepted: set[int] = set()

    @property
    def top(self) -> int:
        return max(self.accepted, default=0)

    def result(self, number: int, allow_jump: bool) -> str:
        if number <= self.top - WINDOW_SIZE:
            return "TOO_OLD"
        if number in self.accepted:
            return "DUPLICATE"
        if number > self.top + MAX_JUMP and not allow_jump:
            return "TOO_FAR"
        return "OK"


def result_of(window: Window, number: int, allow_jump: bool) -> str:
    try:
        window.check_unseen(number)
        if not allow_jump:
            window.check_near(number)
    except UnitError as error:
        return str(error)
    return "OK"


@given(st.lists(st.tuples(near, st.booleans()), max_size=60))
def test_a_window_is_a_set(steps: list[tuple[int, bool]]) -> None:
    window, model = Window(), Model()
    for distance, allow_jump in steps:
        number = min(max(1, model.top + distance), LARGEST)
        expected = model.result(number, allow_jump)
        assert result_of(window, number, allow_jump) == expected
        if expected == "OK":
            window.accept(number)
            model.accepted.add(number)
        assert window.top == model.top


@given(st.lists(st.integers(1, 1000), max_size=100), st.integers(1, 1300))
def test_a_packed_window_is_the_same(numbers: list[int], asked: int) -> None:
    window = Window()
    for number in numbers:
        if result_of(window, number, allow_jump=False) == "OK":
            window.accept(number)
    packed = window.pack()
    assert len(packed) == 38
    again = Window(packed)
    assert (again.top, again.pack()) == (window.top, packed)
    assert result_of(again, asked, allow_jump=False) == result_of(window, asked, allow_jump=False)


@given(st.permutations(range(1, WINDOW_SIZE + 1)))
def test_a_window_full_of_messages_is_taken_in_any_order_once(order: list[int]) -> None:
    window = Window()
    for number in order:
        assert result_of(window, number, allow_jump=False) == "OK"
        window.accept(number)
    assert all(result_of(window, number, allow_jump=True) == "DUPLICATE" for number in order)


def test_checks_change_nothing() -> None:
    window = Window()
    window.accept(300)
    before = window.pack()
    for number in (1, 44, 45, 299, 300, 301, 300 + MAX_JUMP, 301 + MAX_JUMP, LARGEST):
        result_of(window, number, allow_jump=False)
    assert window.pack() == before
