# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Symbols of any bytes, coded or as text, in parts of any size: refused by name, or as the model reads them."""

import io
import re

import network_reference as reference
from hypothesis import given
from hypothesis import strategies as st

from fuzz.fuzzing import FUZZED, altered, bounded
from ndks.exceptions import BadSymbols, OddSymbol, OtherContent, SymbolsTooLong
from ndks.symbols.live import LiveLine
from ndks.symbols.streams import CodedSource, TextSink
from ndks.symbols.symbols import MARK, Symbols

LIMIT = 1 << 63
_LINE = re.compile(rb"(?:[01]|\.(?:\{[1-9][0-9]{0,18}\})?)*")
_SYMBOL = re.compile(rb"(?P<bit>[01])|\.(?:\{(?P<count>[0-9]+)\})?")
_MEMORY = 1_000_000

counts = st.integers(0, 300) | st.integers(0, LIMIT - 1)
runs = st.lists(st.tuples(counts, st.text("01", max_size=20)), max_size=8)
whole = runs.map(reference.symbols_of_runs)
coded = whole | altered(whole) | st.binary(max_size=100)
marked = st.builds(bytes.__add__, st.sampled_from((MARK, MARK, MARK, b"", b"\0sy")), coded)
lines = st.lists(st.sampled_from(("0", "1", ".", "..", ".{5}", ".{9223372036854775807}", "\n", "\r\n")), max_size=30)
spoken = lines.map(lambda parts: "".join(parts).encode())
text = spoken | altered(spoken) | st.binary(max_size=60)


@FUZZED
@given(st.data(), marked, text, st.integers(1, 50))
def test_symbols(data: st.DataObject, capsule: bytes, said: bytes, size: int) -> None:
    with bounded(data.draw, _MEMORY):
        check_opened(capsule, size)
        check_read(said, size)
        check_live(said, size)


def check_opened(capsule: bytes, size: int) -> None:
    """Check that exactly the only coding is opened, and that its text says the same."""
    out = io.BytesIO()
    sink = TextSink(out, expand=False)
    is_marked = capsule.startswith(MARK)
    expected = reference.symbol_runs(capsule[len(MARK) :]) if is_marked else None
    try:
        for start in range(0, len(capsule), size):
            sink.write(capsule[start : start + size])
        sink.finish()
    except OtherContent:
        assert not is_marked
    except BadSymbols:
        assert is_marked
        assert expected is None
    else:
        assert expected is not None
        assert Symbols.parse(out.getvalue().decode()) == Symbols.of_runs(expected)
        assert sink.tally.nothings == sum(count for count, _ in expected)


def check_read(said: bytes, size: int) -> None:
    expected = runs_of(said)
    source = CodedSource(Parts(said, size))
    try:
        found = b"".join(iter(lambda: source.read(size), b""))
    except (OddSymbol, SymbolsTooLong):
        assert expected is None
    else:
        assert expected is not None
        assert found == MARK + reference.symbols_of_runs(expected)


def check_live(said: bytes, size: int) -> None:
    """Check that a line with no pauses says what its text says, but for the nothings at its end."""
    expected = runs_of(said)
    line = LiveLine(1)
    heard: list[tuple[int, str]] = []
    try:
        for start in range(0, len(said), size):
            heard += [each for sent in line.take(0, said[start : start + size]) for each in texts_of(sent)]
        heard += [each for sent in line.finish() for each in texts_of(sent)]
    except (OddSymbol, SymbolsTooLong):
        assert expected is None
    else:
        while expected and not expected[-1][1]:
            expected.pop()  # nothings that wait for a bit
        assert expected is None or reference.symbols_of_runs(heard) == reference.symbols_of_runs(expected)


def texts_of(symbols: Symbols) -> list[tuple[int, str]]:
    return [(run.nothings, run.text()) for run in symbols.runs()]


def runs_of(said: bytes) -> list[tuple[int, str]] | None:
    """Return what a text says, None if it is odd or counts too far."""
    found: list[tuple[int, str]] = []
    silence = 0
    for line in re.split(rb"[\r\n]", said):
        if not _LINE.fullmatch(line):
            return None
        for symbol in _SYMBOL.finditer(line):
            if symbol["bit"]:
                found.append((0, symbol["bit"].decode()))
                silence = 0
            else:
                count = int(symbol["count"] or 1)
                found.append((count, ""))
                silence += count
            if silence >= LIMIT:
                return None
    return found


class Parts:
    def __init__(self, data: bytes, size: int) -> None:
        self._source, self._size = io.BytesIO(data), size

    def read(self, _: int) -> bytes:
        return self._source.read(self._size)
