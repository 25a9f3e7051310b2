# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Symbols as text: 0, 1, and . for nothing; .{N} is N nothings, so that no silence takes much room.

Line breaks mean nothing.
"""

import re
from collections.abc import Iterable, Iterator

from ..exceptions import OddSymbol, SymbolsTooLong
from .coding import LIMIT, Run

_MOST_DOTS = 64  # written one by one; more are .{N}
_DOTS = 1 << 16  # per part of an expanded text
_TOKEN = re.compile(rb"(?P<bits>[01]+)|\.\{(?P<count>[1-9][0-9]{0,18})\}|(?P<dots>\.+(?!\{))|(?P<breaks>[\r\n]+)")
_PERHAPS_COUNT = re.compile(rb"\.(?:\{[0-9]{0,19})?\Z")
_LONGEST_COUNT = 21  # bytes of .{N without the end


class TextReader:
    """Reads a text in parts of any size, in constant memory; errors tell line and column, from 1 on."""

    def __init__(self) -> None:
        self._line = self._column = 1
        self._rest = b""  # a dot, which may begin a count

    @property
    def has_dot(self) -> bool:
        """Whether a dot was kept back, which may begin a count."""
        return self._rest == b"."

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield counts of nothings, and bits as texts: one of the two at a time. OddSymbol, SymbolsTooLong."""
        data = self._rest + data
        unsure = _PERHAPS_COUNT.search(data, max(0, len(data) - _LONGEST_COUNT))
        end = unsure.start() if unsure else len(data)
        self._rest = data[end:]
        yield from self._symbols(data, end)

    def finish(self) -> Iterator[tuple[int, bytes]]:
        """Yield what was kept back in case more came. OddSymbol: a count is cut."""
        data, self._rest = self._rest, b""
        yield from self._symbols(data, len(data))

    def _symbols(self, data: bytes, end: int) -> Iterator[tuple[int, bytes]]:
        at = 0
        while at < end:
            token = _TOKEN.match(data, at, end)
            if not token:
                raise self._odd(data[at : at + 4])
            at = token.end()
            if token["breaks"]:
                self._break(token["breaks"])
                continue
            if token["bits"]:
                yield 0, token["bits"]
            else:
                yield self._nothings(token), b""
            self._column += len(token[0])

    def _nothings(self, token: re.Match[bytes]) -> int:
        count = int(token["count"] or 0) or len(token["dots"])
        if count >= LIMIT:
            raise SymbolsTooLong(f"{self._place()}: a count of nothings is at most {LIMIT - 1}")
        return count

    def _break(self, breaks: bytes) -> None:
        lines = breaks.count(b"\n")
        self._line += lines
        self._column = len(breaks) - breaks.rfind(b"\n") if lines else self._column + len(breaks)

    def _odd(self, data: bytes) -> OddSymbol:
        if data.startswith(b".{"):
            return OddSymbol(f"{self._place()}: a count of nothings is .{{1}} to .{{{LIMIT - 1}}}")
        return OddSymbol(f"{self._place()}: {data.decode(errors='replace')[0]!a} is no symbol")

    def _place(self) -> str:
        return f"line {self._line}, column {self._column}"


def texts(runs: Iterable[Run], *, expand: bool = False) -> Iterator[str]:
    """Yield the text of runs in parts; `expand`: each nothing is a dot of its own, however many there are."""
    for run in runs:
        yield from _expanded(run.nothings) if expand else [_dots(run.nothings)]
        yield run.text()


def _dots(count: int) -> str:
    return "." * count if count <= _MOST_DOTS else f".{{{count}}}"


def _expanded(count: int) -> Iterator[str]:
    while count > 0:
        part = min(count, _DOTS)
        count -= part
        yield "." * part
