# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Symbols: one coding for each text of 0, 1 and nothing, and no memory for silence."""

import io
import itertools
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import network_reference as reference
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.power_cuts import FULL

import ndks
from ndks.symbols.coding import Decoder
from ndks.symbols.streams import CodedSource, TextSink
from ndks.symbols.symbols import MARK, Symbols

LONGEST = (1 << 63) - 1
CODED = {
    "": "",
    ".": "0100",
    "0": "000100",
    "1": "000180",
    "..01.1..": "0202400101800200",
    "1" * 9: "0009ff80",
    "." * 300 + "1": "ac020180",
}
VALUES = {"0": 0, "1": 1, ".": None}

texts = st.text("01..", max_size=200)
counts = st.integers(0, 20) | st.integers(0, 1 << 60)
runs = st.lists(st.tuples(counts, st.text("01", max_size=20)), max_size=7)
changes = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=2)


@contextmanager
def in_memory(most: int) -> Iterator[None]:
    """Check that the block takes at most so many bytes at once."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


class Dots:
    """A text of so many nothings that is nowhere at once, and an end."""

    def __init__(self, count: int, end: bytes = b"1") -> None:
        self._count, self._end = count, end

    def read(self, size: int) -> bytes:
        if not self._count:
            end, self._end = self._end, b""
            return end
        part = min(size, self._count)
        self._count -= part
        return b"." * part


def read_all(source: CodedSource, size: int) -> bytes:
    return b"".join(iter(lambda: source.read(size), b""))


def expanded(coded: bytes, size: int) -> str:
    out = io.BytesIO()
    sink = TextSink(out, expand=True)
    for start in range(0, len(coded), size):
        sink.write(coded[start : start + size])
    sink.finish()
    return out.getvalue().decode()


@pytest.mark.parametrize("text", CODED)
def test_coded(text: str) -> None:
    symbols = Symbols.parse(text)
    assert symbols.coded.hex() == CODED[text]
    assert "".join("." * run.nothings + run.text() for run in Symbols.decode(symbols.coded).runs()) == text


@given(texts)
def test_any_text(text: str) -> None:
    symbols = Symbols.parse(text)
    assert symbols.coded == reference.symbols(text)
    assert Symbols.decode(symbols.coded) == symbols == Symbols.parse(symbols.text())
    assert (symbols.bits, symbols.nothings) == (len(text.replace(".", "")), text.count("."))
    assert bool(symbols) == bool(text)


@given(texts)
def test_any_symbols_one_by_one(text: str) -> None:
    values = [VALUES[letter] for letter in text]
    assert Symbols(values).coded == reference.symbols(text)
    assert list(Symbols(values)) == values
    assert Symbols(Symbols(iter(values))) == Symbols(values)


@given(runs)
def test_any_runs_against_the_model(parts: list[tuple[int, str]]) -> None:
    symbols = Symbols.of_runs(parts)
    assert symbols.coded == reference.symbols_of_runs(parts)
    assert [(run.nothings, run.text()) for run in symbols.runs()] == reference.symbol_runs(symbols.coded)
    assert Symbols.parse(symbols.text()) == symbols


@given(runs, changes, st.integers(0, 4))
def test_what_is_opened_against_the_model(
    parts: list[tuple[int, str]], altered: list[tuple[int, int]], cut: int
) -> None:
    """Accept exactly what the model accepts, and give the same runs."""
    coded = bytearray(reference.symbols_of_runs(parts))
    for place, value in altered:
        coded[place % (len(coded) + 1) : place % (len(coded) + 1) + 1] = bytes([value])
    data = bytes(coded[: len(coded) - cut])
    expected = reference.symbol_runs(data)
    try:
        symbols = Symbols.decode(data)
    except ndks.BadSymbols:
        assert expected is None
    else:
        assert [(run.nothings, run.text()) for run in symbols.runs()] == expected


@given(texts, st.integers(1, 40), st.integers(1, 40))
def test_in_parts_of_any_size(text: str, read: int, written: int) -> None:
    coded = read_all(CodedSource(io.BytesIO(text.encode())), read)
    assert coded == MARK + reference.symbols(text)
    assert expanded(coded, written) == text + "\n"


@given(st.integers(1, LONGEST), st.integers(1, 30))
def test_counts_in_a_text_of_parts(count: int, size: int) -> None:
    text = f"..{{{count // 2 + 1}}}\n1.{{{count}}}..\n"
    parts = [text[start : start + size].encode() for start in range(0, len(text), size)]

    class Parts:
        def read(self, _: int) -> bytes:
            return parts.pop(0) if parts else b""

    if count > LONGEST - 2:
        with pytest.raises(ndks.SymbolsTooLong):
            read_all(CodedSource(Parts()), 100)
    else:
        expected = reference.symbols_of_runs([(count // 2 + 2, "1"), (count + 2, "")])
        assert read_all(CodedSource(Parts()), 100) == MARK + expected


@pytest.mark.parametrize(
    "coded",
    [
        "0000",  # neither nothings nor bits
        "000101",  # padding
        "000180000180",  # 0 nothings in the second run
        "0100" + "0100",  # 0 bits in a run that is not the last
        "81000180",  # not the shortest count
        "ffffffffffffffffff7f00",  # 2^70
        "ff" * 9 + "01",
        "00ffffffffffffffffff01",
    ],
)
def test_refused(coded: str) -> None:
    for size in (1, 2, 100):
        with pytest.raises(ndks.BadSymbols) as refused:
            expanded(MARK + bytes.fromhex(coded), size)
        assert refused.value.code == "BAD_SYMBOLS"


@pytest.mark.parametrize("coded", ["01", "0101", "80", "00ffffffffffffffff7f00"])
def test_cut(coded: str) -> None:
    for size in (1, 100):
        with pytest.raises(ndks.SymbolsCut, match="end of the symbols is missing"):
            expanded(MARK + bytes.fromhex(coded), size)


@pytest.mark.parametrize("data", [b"", MARK[:3], b"hello", b"\0", b"\0syn" + b"\1\0"])
def test_bytes_are_no_symbols(data: bytes) -> None:
    for size in (1, 100):
        with pytest.raises(ndks.OtherContent, match="bytes"):
            expanded(data, size)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("01 1", "line 1, column 3: ' ' is no symbol"),
        ("01\r\n..\n.1x", "line 3, column 3: 'x' is no symbol"),
        ("\n\n" + 100_000 * "01." + "é", "line 3, column 300001: '\\xe9' is no symbol"),
        ("\ufeff01", "line 1, column 1: '\\ufeff' is no symbol"),
        ("1{5}", "line 1, column 2: '{' is no symbol"),
        ("1..{0}", "line 1, column 3: a count of nothings is .{1} to .{9223372036854775807}"),
        ("1.{5", "line 1, column 2: a count of nothings is"),
        ("1.{5\n}", "line 1, column 2: a count of nothings is"),
        ("1.{12345678901234567890}", "line 1, column 2: a count of nothings is"),
    ],
)
def test_odd_characters_are_named_with_their_place(text: str, place: str) -> None:
    with pytest.raises(ndks.OddSymbol) as refused:
        Symbols.parse(text)
    assert str(refused.value).startswith(place)
    with pytest.raises(ndks.OddSymbol) as refused:
        read_all(CodedSource(io.BytesIO(text.encode())), 7 + len(text) // 50)
    assert str(refused.value).startswith(place)


@pytest.mark.parametrize("value", ["0", 2, -1, 0.5, [], b"1"])
def test_odd_elements_are_named_with_their_place(value: object) -> None:
    odd: list[object] = [*[None, 0] * 50_000, value, 1]
    with pytest.raises(ndks.OddSymbol, match=r"^element 100000 is"):
        Symbols(odd)  # pyright: ignore[reportArgumentType]


def test_odd_runs() -> None:
    for run in ((-1, "1"), (1, "2"), (1, ".")):
        with pytest.raises(ndks.OddSymbol):
            Symbols.of_runs([run])


def test_centuries_of_silence() -> None:
    with in_memory(50_000):
        for count in (1 << 62, LONGEST):
            silence = Symbols.of_runs([(count, "1")])
            assert len(silence.coded) == 11
            assert Symbols.decode(silence.coded) == silence == Symbols.parse(f".{{{count}}}1")
            assert (silence.nothings, silence.bits, silence.text()) == (count, 1, f".{{{count}}}1")
            assert next(iter(silence)) is None
    for parts in ([(1 << 63, "")], [(LONGEST, ""), (1, "")]):
        with pytest.raises(ndks.SymbolsTooLong):
            Symbols.of_runs(parts)
    with pytest.raises(ndks.SymbolsTooLong, match="line 1, column 2"):
        Symbols.parse("1.{9223372036854775808}")


def test_a_billion_nothings_in_constant_memory() -> None:
    with in_memory(3_000_000):
        assert read_all(CodedSource(Dots(10**9)), 100) == MARK + reference.symbols_of_runs([(10**9, "1")])


def test_many_nothings_one_by_one_in_constant_memory() -> None:
    many = 10**9 if FULL else 10**8
    with in_memory(3_000_000):
        symbols = Symbols(itertools.chain(itertools.repeat(None, many), [1]))
    assert symbols.coded == reference.symbols_of_runs([(many, "1")])


def test_a_billion_nothings_are_written_in_constant_memory() -> None:
    class Counting:
        size = 0

        def write(self, data: bytes) -> None:
            self.size += len(data)

        def flush(self) -> None:
            pass

    out = Counting()
    with in_memory(3_000_000):
        sink = TextSink(out, expand=True)
        sink.write(MARK + reference.symbols_of_runs([(10**9, "1")]))
        sink.finish()
    assert out.size == 10**9 + 2


def test_opening_takes_no_more_memory_than_the_bytes() -> None:
    coded = reference.symbols_of_runs([(1 << 62, "1")] * 10_000)
    with in_memory(len(coded) + 100_000):
        decoder = Decoder()
        assert sum(run.nothings for run in decoder.feed(coded)) == 10_000 << 62
        decoder.finish()


def test_symbols_are_a_value() -> None:
    symbols = Symbols.parse("01..1")
    assert {symbols, Symbols([0, 1, None, None, 1])} == {symbols}
    assert symbols != "01..1"
    assert repr(symbols) == "<ndks.Symbols of 3 bits and 2 nothings>"
    assert symbols.text() == "01..1"
    assert Symbols.parse("." * 65).text() == ".{65}"
