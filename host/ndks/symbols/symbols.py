# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Symbols as a value, which holds its own coding, with no nothing expanded."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice, repeat

from ..exceptions import OddSymbol, OtherContent
from .coding import Decoder, Encoder, Run
from .text import TextReader, texts

MARK = b"\0sym"  # before symbols in a capsule of kind 0, where no field tells what the data are
Symbol = int | None

_CHARACTERS: dict[Symbol, int] = {0: 0x30, 1: 0x31, None: 0x2E}
_SYMBOLS = {"0": 0, "1": 1}
_BITS = b"01"
_STRETCH = re.compile(rb"\.+|[01]+")
_PART = 1 << 16  # symbols


class Symbols:
    """A text of 0, 1 and None for nothing. Iteration yields them one by one; `runs` counts the nothings."""

    __slots__ = ("coded",)
    coded: bytes  # the only coding of these symbols

    def __init__(self, symbols: "Iterable[Symbol]" = ()) -> None:
        """Take any number of symbols, in constant memory where they are nothing. OddSymbol."""
        self.coded = symbols.coded if isinstance(symbols, Symbols) else _coded(_parts(symbols))

    @classmethod
    def parse(cls, text: str) -> "Symbols":
        """Return the symbols of a text of 0, 1 and . for nothing, where .{N} is N nothings. OddSymbol."""
        reader = TextReader()
        return cls._of(_coded(chain(reader.feed(text.encode()), reader.finish())))

    @classmethod
    def of_runs(cls, runs: Iterable[tuple[int, str]]) -> "Symbols":
        """Return the symbols of runs: a count of nothings, and the bits after them as a text of 0 and 1. OddSymbol."""
        return cls._of(_coded(chain.from_iterable(_run(*run) for run in runs)))

    @classmethod
    def decode(cls, coded: bytes) -> "Symbols":
        """Return the symbols of a coding. BadSymbols unless it is the only one of its symbols; SymbolsCut."""
        decoder = Decoder()
        for _ in decoder.feed(coded):
            pass
        decoder.finish()
        return cls._of(bytes(coded))

    @classmethod
    def _of(cls, coded: bytes) -> "Symbols":
        made = cls()
        made.coded = coded
        return made

    def runs(self) -> Iterator[Run]:
        """Yield counts of nothings with the bits after each."""
        return Decoder().feed(self.coded)

    @property
    def nothings(self) -> int:
        """How many nothings there are."""
        return sum(run.nothings for run in self.runs())

    @property
    def bits(self) -> int:
        """How many 0 and 1 there are."""
        return sum(run.size for run in self.runs())

    def text(self) -> str:
        """Return them as `parse` takes them; more than 64 nothings in a row are .{N}."""
        return "".join(texts(self.runs()))

    def __iter__(self) -> "Iterator[Symbol]":
        for run in self.runs():
            yield from repeat(None, run.nothings)
            yield from map(_SYMBOLS.__getitem__, run.text())

    def __bool__(self) -> bool:
        return bool(self.coded)

    def __eq__(self, other: object) -> bool:
        return self.coded == other.coded if isinstance(other, Symbols) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.coded)

    def __repr__(self) -> str:
        """Count them, but show none: they may be secret."""
        return f"<ndks.Symbols of {self.bits} bits and {self.nothings} nothings>"


def marked(symbols: Symbols) -> bytes:
    """Return the data of a capsule with symbols."""
    return MARK + symbols.coded


def unmarked(data: bytes) -> Symbols:
    """Return the symbols in the data of a capsule. OtherContent, BadSymbols."""
    if not data.startswith(MARK):
        raise OtherContent
    return Symbols.decode(data[len(MARK) :])


def _coded(parts: Iterable[tuple[int, bytes]]) -> bytes:
    encoder = Encoder()
    coded = bytearray()
    for nothings, bits in parts:
        coded += encoder.nothings(nothings)
        encoder.bits(bits)
    return bytes(coded + encoder.finish())


def _parts(symbols: "Iterable[Symbol]") -> Iterator[tuple[int, bytes]]:
    """Yield the symbols as counts of nothings, and bits as texts."""
    remaining, taken = iter(symbols), 0
    while part := list(islice(remaining, _PART)):
        if part.count(None) == len(part):
            yield len(part), b""
        else:
            for stretch in _STRETCH.findall(_characters(part, taken)):
                yield (0, stretch) if stretch[0] in _BITS else (len(stretch), b"")
        taken += len(part)


def _characters(symbols: "list[Symbol]", before: int) -> bytes:
    try:
        return bytes(map(_CHARACTERS.__getitem__, symbols))
    except (KeyError, TypeError):
        place = next(place for place, each in enumerate(symbols) if not _is_symbol(each))
    raise OddSymbol(f"element {before + place} is none of 0, 1 and None")


def _is_symbol(value: object) -> bool:
    try:
        return value in _CHARACTERS
    except TypeError:  # it cannot be hashed
        return False


def _run(nothings: int, bits: str) -> list[tuple[int, bytes]]:
    if nothings < 0 or set(bits) - {"0", "1"}:
        raise OddSymbol("a run is a count of nothings, and a text of 0 and 1")
    return [(nothings, bits.encode())]
