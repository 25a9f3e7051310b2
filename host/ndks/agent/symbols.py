# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Symbols: texts of 0, 1 and nothing, as in the paper (PROTOCOL.md section 12, content 1 of messages).

run  LEB128 count of nothings | LEB128 count of bits | the bits, the first one highest, padded with 0 to a byte

Only the first run may have 0 nothings, and only the last 0 bits; none has neither. Counts are below 2^63 and take as
few bytes as they can, so each text has one coding. Nothings are counted and never expanded: a minute of silence, or a
century, is a few bytes.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

NOTHING = "."
_LIMIT = 1 << 63
_LONGEST_COUNT = 9  # bytes: 63 bits


class BadSymbols(ValueError):
    """Bytes that code no symbols, or code them in another way than the only one."""


class Run(NamedTuple):
    """A count of nothings, and the bits after them: how many, and packed."""

    nothings: int
    size: int
    bits: bytes

    def text(self) -> str:
        """Return the bits as a text of 0 and 1."""
        return "".join(f"{byte:08b}" for byte in self.bits)[: self.size]


def runs_of(symbols: Iterable[str]) -> Iterator[Run]:
    """Return the runs of symbols: "0", "1", and "." for nothing. ValueError: another symbol."""
    nothings = 0
    for is_nothing, group in groupby(symbols, key=NOTHING.__eq__):
        if is_nothing:
            nothings = sum(1 for _ in group)
        else:
            yield _run(nothings, "".join(group))
            nothings = 0
    if nothings:
        yield Run(nothings, 0, b"")


def encode(runs: Iterable[Run]) -> bytes:
    """Return the coding of runs, which follow each other as `runs_of` yields them."""
    return b"".join(_leb128(nothings) + _leb128(count) + bits for nothings, count, bits in runs)


def decode(data: bytes) -> list[Run]:
    """Return the runs; they take no more memory than the data. BadSymbols."""
    runs, at = list[Run](), 0
    while at < len(data):
        nothings, at = _count(data, at)
        count, at = _count(data, at)
        end = at + -(-count // 8)
        run = Run(nothings, count, data[at:end])
        if end > len(data) or (runs and not nothings) or (not count and (end < len(data) or not nothings)):
            raise BadSymbols("a run is cut short, or in the wrong place")
        if count % 8 and run.bits[-1] & (1 << -count % 8) - 1:
            raise BadSymbols("the padding is not 0")
        runs.append(run)
        at = end
    return runs


def _run(nothings: int, bits: str) -> Run:
    if set(bits) - {"0", "1"}:
        raise ValueError("symbols are 0, 1 and . for nothing")
    size = -(-len(bits) // 8)
    return Run(nothings, len(bits), int(bits.ljust(8 * size, "0"), 2).to_bytes(size))


def _leb128(number: int) -> bytes:
    if not 0 <= number < _LIMIT:
        raise ValueError("a count is below 2^63")
    coded = bytearray()
    while number > 0x7F:
        coded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*coded, number))


def _count(data: bytes, at: int) -> tuple[int, int]:
    """Return a count and the position after it."""
    number = 0
    for place in range(_LONGEST_COUNT):
        if at + place >= len(data):
            break
        byte = data[at + place]
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            if place and not byte:
                break
            return number, at + place + 1
    raise BadSymbols("a count is cut short, too long, or not the shortest")
