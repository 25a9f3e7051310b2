# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A line in time: where a message begins and ends, how many nothings a pause is, and that silence is never sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ndks
from ndks.symbols.live import LiveLine
from ndks.symbols.symbols import Symbols

TICK = 1000
Arrival = tuple[int, str] | None  # what came after a wait; None: a tick has passed, and the stretch is ended

waits = st.integers(0, 5 * TICK)
arrivals = st.lists(st.tuples(waits, st.text("01.\n", max_size=6)) | st.none(), max_size=12)


def messages(line: LiveLine, given: list[Arrival]) -> list[Symbols]:
    found: list[Symbols] = []
    for arrival in given:
        found += line.end_stretch() if arrival is None else line.take(arrival[0], arrival[1].encode())
    return found


def heard(*given: Arrival) -> list[str]:
    line = LiveLine(TICK)
    return [symbols.text() for symbols in (*messages(line, list(given)), *line.finish())]


def model(given: list[Arrival]) -> str:
    """Return all that the line says, from its first symbol to its last bit."""
    said, waited = "", 0
    for arrival in given:
        if arrival is None:
            continue
        waited += arrival[0]
        for letter in arrival[1].replace("\n", ""):
            said += "." * (waited // TICK) * bool(said) + letter
            waited = 0
    return said.rstrip(".")


@given(arrivals)
def test_the_messages_are_what_the_line_says(given: list[Arrival]) -> None:
    expected = model(given)
    line = LiveLine(TICK)
    sent = [*messages(line, given), *line.finish()]
    expanded = ["".join("." * run.nothings + run.text() for run in each.runs()) for each in sent]
    assert "".join(expanded) == expected
    assert not [each for each in expanded if not each or each.endswith(".")]


def test_a_stretch_ends_with_its_line_or_a_tick_without_input() -> None:
    assert heard((0, "01\n10")) == ["01", "10"]
    assert heard((0, "01"), (10, "10")) == ["0110"]
    assert heard((0, "01"), None, (TICK, "10")) == ["01", ".10"]


def test_parts_of_ticks_are_dropped_and_those_of_one_pause_add_up() -> None:
    assert heard((0, "1"), (TICK - 1, "1"), (TICK - 1, "1")) == ["111"]
    assert heard((0, "1"), (TICK - 1, "\n"), (1, "1"), (2 * TICK + 1, "1")) == ["1", ".1..1"]


def test_silence_goes_with_the_next_bit() -> None:
    assert heard((0, "1..\n"), (TICK, "\n"), (TICK, ".\n"), None, (TICK, "0\n")) == ["1", "." * 6 + "0"]
    assert heard((0, "1.{4611686018427387904}\n"), (0, "1")) == ["1", ".{4611686018427387904}1"]
    assert heard((0, "1.{46116860184"), (0, "27387904}1")) == ["1.{4611686018427387904}1"]


@pytest.mark.parametrize("given", ["", "\n", "\n\n\r\n", "...", "..\n..\n", ".{4611686018427387904}\n"])
def test_without_a_bit_nothing_is_said(given: str) -> None:
    assert heard((0, given), (10**18, given), None, (10**18, "")) == []


def test_before_the_first_symbol_there_is_no_nothing() -> None:
    assert heard((10 * TICK, "1"), (TICK, "1")) == ["1.1"]
    assert heard((10 * TICK, ".1")) == [".1"]


def test_messages_of_an_endless_stretch_fit_into_an_agent() -> None:
    line = LiveLine(TICK)
    found = messages(line, [(0, "01" * 500_000), (0, "0.1." * 50_000)])
    assert len(found) < 20
    assert max(len(each.coded) for each in found) < 1 << 16
    assert sum(each.bits for each in (*found, *line.finish())) == 1_100_000


def test_odd_characters_are_named_with_their_place() -> None:
    line = LiveLine(TICK)
    assert messages(line, [(0, "01\n")]) == [Symbols.parse("01")]
    with pytest.raises(ndks.OddSymbol, match=r"^line 2, column 3: 'x'"):
        messages(line, [(0, "01"), (0, "x1\n")])
    line = LiveLine(TICK)
    with pytest.raises(ndks.OddSymbol, match=r"^line 1, column 2"):
        messages(line, [(0, "1.{5\n"), (0, "}1\n")])
    line = LiveLine(TICK)
    messages(line, [(0, "1.{5")])
    with pytest.raises(ndks.OddSymbol, match=r"^line 1, column 2"):
        list(line.finish())
