# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The coding of symbols: texts of 0, 1 and nothing (PROTOCOL.md section 12).

run  LEB128 count of nothings | LEB128 count of bits | the bits, the first one highest, padded with 0 to a byte

Only the first run may have 0 nothings, and only the last 0 bits; no run has 0 of both. Counts are below 2^63 and take
as few bytes as they can, so each text has one coding. Nothings are counted and never expanded: a minute of silence, or
a century, is a few bytes.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ..exceptions import BadSymbols, SymbolsCut, SymbolsTooLong

LIMIT = 1 << 63  # of both counts
_LONGEST_COUNT = 9  # bytes: 63 bits


class Run(NamedTuple):
    """A count of nothings, and the bits after them: how many, and packed."""

    nothings: int
    size: int
    bits: bytes

    def text(self) -> str:
        """Return the bits as a text of 0 and 1."""
        return f"{int.from_bytes(self.bits):0{8 * len(self.bits)}b}"[: self.size]


class Encoder:
    """Encodes symbols that come in parts of any size. Memory: one stretch of bits without a nothing, packed."""

    def __init__(self) -> None:
        self._nothings = self._size = 0
        self._packed = bytearray()
        self._rest = b""  # bits, as text, that do not make a whole byte yet

    @property
    def size(self) -> int:
        """How many bits the present run has."""
        return self._size

    def nothings(self, count: int) -> bytes:
        """Add nothings; return the coding of the run that they end, or b"". SymbolsTooLong."""
        ended = self.finish() if count and self._size else b""
        self._nothings = _added(self._nothings, count)
        return ended

    def bits(self, text: bytes) -> None:
        """Add a text of 0 and 1. SymbolsTooLong."""
        self._size = _added(self._size, len(text))
        text = self._rest + text
        whole = len(text) // 8
        if whole:
            self._packed += int(text[: 8 * whole], 2).to_bytes(whole)
        self._rest = text[8 * whole :]

    def finish(self) -> bytes:
        """Return the coding of the last run, and start afresh."""
        if self._rest:
            self._packed += int(self._rest.ljust(8, b"0"), 2).to_bytes()
        is_empty = not (self._nothings or self._size)
        run = b"" if is_empty else _leb128(self._nothings) + _leb128(self._size) + self._packed
        self._nothings = self._size = 0
        self._packed, self._rest = bytearray(), b""
        return run


class Decoder:
    """Decodes bytes that come in parts of any size. A run whose bits come in two parts is yielded as two runs."""

    def __init__(self) -> None:
        self._rest = b""  # the start of two counts
        self._nothings = 0  # before the next bits
        self._left = 0  # bits that are still to come
        self._is_first, self._is_last = True, False

    def feed(self, data: bytes) -> Iterator[Run]:
        """Yield what these bytes complete. BadSymbols."""
        data, at = self._rest + data, 0
        self._rest = b""
        while at < len(data):
            if self._left:
                run = self._bits(data[at : at + -(-self._left // 8)])
                at += len(run.bits)
                yield run
            elif heads := _counts(data, at):
                at = heads[2]
                self._begin(*heads[:2])
                if self._is_last:
                    yield Run(heads[0], 0, b"")
            else:
                self._rest = data[at:]
                return

    def finish(self) -> None:
        """Raise SymbolsCut if bytes are missing."""
        if self._rest or self._left:
            raise SymbolsCut

    def _begin(self, nothings: int, size: int) -> None:
        if self._is_last or not (nothings or (self._is_first and size)):
            raise BadSymbols("a run is empty, or in the wrong place")
        self._nothings, self._left = nothings, size
        self._is_first, self._is_last = False, not size

    def _bits(self, packed: bytes) -> Run:
        run = Run(self._nothings, min(8 * len(packed), self._left), packed)
        self._nothings = 0
        self._left -= run.size
        if run.size % 8 and packed[-1] & (1 << -run.size % 8) - 1:
            raise BadSymbols("the padding of a run is not 0")
        return run


def _added(count: int, more: int) -> int:
    if count + more >= LIMIT:
        raise SymbolsTooLong(f"more than {LIMIT - 1} of one kind follow each other")
    return count + more


def _leb128(number: int) -> bytes:
    if number < 0x80:  # in most runs
        return bytes((number,))
    coded = bytearray()
    while number > 0x7F:
        coded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*coded, number))


def _counts(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Return both counts of a run and the position after them; None if they are cut. BadSymbols."""
    nothings = _count(data, at)
    size = nothings and _count(data, nothings[1])
    return (nothings[0], *size) if nothings and size else None


def _count(data: bytes, at: int) -> tuple[int, int] | None:
    number = 0
    for place, byte in enumerate(data[at : at + _LONGEST_COUNT]):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            if place and not byte:
                raise BadSymbols("a count is not the shortest one")
            return number, at + place + 1
    if len(data) - at >= _LONGEST_COUNT:
        raise BadSymbols("a count is 2^63 or more")
    return None
