# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Exact key bits of equation 7 with NumPy on all cores of a PC (PROTOCOL.md section 2).

Strategy: three tiers of rising precision; each decides the elements that the tier before left open. v = 10^d cos(e y1).

1. A sieve over whole blocks: v / 2 by one angle addition for each element, in single precision for d <= 3, else in
   double. A bit is 1 if v / 2 is more than 1/4 from the nearest integer. Two thresholds, 1/4 minus and plus the error
   bound, give the same bit or leave the element open.
2. The same in double-double, with tables accurate to 2^-96.
3. Exact integers (Ziv's method).

Error bound of tier 1, with u half an ulp of 1 and S = 10^d / 2: A = S cos a, C = cos b and their product are each
rounded, with a relative error of u. The same holds for the sines. The sum of both products is at most S in magnitude
and is rounded once more. The total is less than S (3 u + u) + O(u^2) < 4.01 S u. The next steps, rint and the
difference to it, are exact.

The angle of element e is the sum of the angles of its block (exact integers), its row and its column (double-double
tables).
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from ndks_protocol import generator as exact
from ndks_protocol.generator import fixed_point

from ..network.network_file import Network
from .double_double import Pair, concatenate, cosine_of_sum, from_fixed, rotate, scale, take

MAX_ELEMENTS = exact.MAX_ELEMENTS
BLOCK = 1 << 22  # elements that start from one exact phase

_COLUMN_BITS, _ROW_BITS = 12, 10
_COLUMNS = 1 << _COLUMN_BITS
_TILE_ROWS = 16  # rows of a tile for one thread: they fit into the cache of a core
_SHARED_TILE = 1 << 20  # bytes of a tile for several threads: larger, because each NumPy call waits for the interpreter
_BITS = 128  # of phases, cosines and sines
_PHASE_GUARD = 45  # bits: the phase step is multiplied by up to 2^40
_SINGLE_DIGITS = 3  # up to this d, single precision leaves at most one element in 2000 open
_SIEVE_ERROR = 4.1  # times S u
_PAIR_ERROR = 2.0**-90  # of a double-double cosine: 24 rotations of 2^-101 each, tables and starts of 2^-105
_FEW = 8192  # bits: below this, the tables cost more than they save
_PART = 1 << 14  # open elements that are decided at once
_READ_AHEAD = 1 << 16  # bits computed at least, for callers that read in small pieces

Bytes = npt.NDArray[np.uint8]


class VectorGenerator:
    """A key generator like that of `ndks_protocol`: the operators f1 and f2, by default those of eq. 7.

    It is fast for every f1 with f2 = cosine, and uses exact integers for any other f2. ValueError for parameters out of
    range.
    """

    def __init__(self, p1: str, p2: str, digits: int, f1: str = exact.F1[0], f2: str = exact.F2[0]) -> None:
        self._exact = exact.Generator(p1, p2, digits, f1, f2)

    @classmethod
    def of(cls, network: Network) -> "VectorGenerator":
        """Return the generator of a network."""
        return cls(network.p1, network.p2, network.digits, network.f1, network.f2)

    def key(self, index: int) -> "VectorKeystream":
        """Return the bits of key `index` (1 to 2^64)."""
        return VectorKeystream(self._exact, index)


class VectorKeystream:
    """The bits of one key with random access; made by `VectorGenerator.key`."""

    def __init__(self, generator: exact.Generator, index: int) -> None:
        self.index = index
        self.piece = BLOCK // 8  # bytes that a unit may read at a time
        self._generator = generator
        self._exact = generator.key(index)
        self._is_fast = generator.power == 1
        self._made: _Blocks | None = None
        self._bits_read = 0
        self._ahead = (0, b"")  # the first element of the bytes read ahead, and these bytes

    def read(self, first: int, count: int) -> bytearray:
        """Return `count` elements from `first` on, most significant bit first; zeros fill the last byte."""
        _check_range(first, count)
        self._bits_read += count
        if self._bits_read <= _FEW or not count or not self._is_fast:
            return self._exact.read(first, count)
        if count >= _READ_AHEAD:
            return bytearray(b"".join(self.blocks(first, count)))
        return bytearray(_first_bits(self._read_ahead(first, count), count))

    def read_into(self, view: bytearray | memoryview, first: int) -> None:
        """Fill `view` with the bits from element `first` on."""
        view[:] = self.read(first, 8 * len(view))

    def blocks(self, first: int, count: int, workers: int = 0) -> Iterator[bytes]:
        """Yield `count` elements from `first` on in pieces of BLOCK elements, in constant memory.

        `workers` threads compute ahead, by default one per core.
        """
        _check_range(first, count)
        end = first + count
        if not self._is_fast:
            starts = range(first, end, _FEW)
            return (bytes(self._exact.read(start, min(_FEW, end - start))) for start in starts)
        make = self._blocks.make
        spans = ((start, min(BLOCK, end - start)) for start in range(first, end, BLOCK))
        workers = workers or os.cpu_count() or 1
        if workers == 1 or count <= BLOCK:
            return (make(*span).tobytes() for span in spans)
        return _in_order(lambda span: make(*span, is_shared=True).tobytes(), spans, workers)

    @property
    def _blocks(self) -> "_Blocks":
        if self._made is None:
            self._made = _Blocks(self._generator, self.index, self._exact)
        return self._made

    def _read_ahead(self, first: int, count: int) -> bytes:
        start, made = self._ahead
        skip = first - start
        if skip < 0 or skip % 8 or skip + count > 8 * len(made):
            made = self._blocks.make(first, min(_READ_AHEAD, MAX_ELEMENTS - first)).tobytes()
            self._ahead, skip = (first, made), 0
        return made[skip // 8 : (skip + count + 7) // 8]


class _Blocks:
    """Computes blocks of one key; several threads may call `make`."""

    def __init__(self, generator: exact.Generator, index: int, bits: exact.Keystream) -> None:
        self._exact = bits
        self._step = generator.phase_step(index, _BITS + _PHASE_GUARD)
        self._scale = 10.0**generator.digits
        self._type = np.float32 if generator.digits <= _SINGLE_DIGITS else np.float64
        unit_roundoff = float(np.finfo(self._type).eps) / 2
        self._error = _SIEVE_ERROR * self._scale / 2 * unit_roundoff
        self._columns = self._table(1, _COLUMN_BITS)
        self._rows = self._table(_COLUMNS, _ROW_BITS)
        self._column_cosines = self._columns[0].high.astype(self._type)
        self._column_sines = self._columns[1].high.astype(self._type)
        self._shared_rows = _SHARED_TILE // (_COLUMNS * np.dtype(self._type).itemsize)
        self._scratch = threading.local()

    def make(self, start: int, count: int, *, is_shared: bool = False) -> Bytes:
        """Return up to BLOCK elements from `start` on, packed; `is_shared` chooses tiles for several threads."""
        rows = self._rows_from(start, count)
        sure, possible = self._sieve(rows, self._shared_rows if is_shared else _TILE_ROWS)
        doubtful = _set_bits(sure ^ possible)
        doubtful = doubtful[doubtful < count]
        ones = self._resolve(rows, doubtful, start)
        np.bitwise_or.at(sure, ones >> 3, (128 >> (ones & 7)).astype(np.uint8))
        return np.frombuffer(_first_bits(sure.tobytes(), count), np.uint8)

    def _rows_from(self, start: int, count: int) -> tuple[Pair, Pair]:
        """Return cosine and sine of the first element of each row."""
        cosines, sines = self._rows
        needed = slice(-(-count // _COLUMNS))
        return rotate(take(cosines, needed), take(sines, needed), *self._point(start))

    def _sieve(self, rows: tuple[Pair, Pair], at_once: int = _TILE_ROWS) -> tuple[Bytes, Bytes]:
        """Return the bits that are certainly 1 and the bits that are possibly 1."""
        # Each value is rounded once, to a double or a single float.
        cosines, sines = (scale(pair, self._scale / 2).high.astype(self._type)[:, None] for pair in rows)
        packed: list[tuple[Bytes, Bytes]] = []
        tile = self._tile(at_once)
        for top in range(0, len(cosines), at_once):
            packed.append(self._sieve_tile(tile, cosines[top : top + at_once], sines[top : top + at_once]))
        return np.concatenate([sure for sure, _ in packed]), np.concatenate([possible for _, possible in packed])

    def _sieve_tile(self, tile: list[Any], cosines: Any, sines: Any) -> tuple[Bytes, Bytes]:
        value, other, surely, possibly = (array[: len(cosines)] for array in tile)
        np.multiply(cosines, self._column_cosines, out=value)
        np.multiply(sines, self._column_sines, out=other)
        np.subtract(value, other, out=value)
        np.rint(value, out=other)
        np.subtract(value, other, out=value)
        np.abs(value, out=value)
        np.greater(value, self._type(0.25 + self._error), out=surely)
        np.greater(value, self._type(0.25 - self._error), out=possibly)
        return np.packbits(surely), np.packbits(possibly)

    def _tile(self, rows: int) -> list[Any]:
        """Return the scratch arrays of this thread for a tile of `rows` rows."""
        if len(getattr(self._scratch, "arrays", [()])[0]) != rows:
            shape = (rows, _COLUMNS)
            self._scratch.arrays = [np.empty(shape, kind) for kind in (self._type, self._type, bool, bool)]
        return self._scratch.arrays

    def _resolve(self, rows: tuple[Pair, Pair], elements: npt.NDArray[np.intp], start: int) -> npt.NDArray[np.intp]:
        """Return the elements whose bit is 1."""
        if not len(elements):
            return elements
        # In parts: if y1 is tiny, a whole block may be open.
        parts = [elements[i : i + _PART] for i in range(0, len(elements), _PART)]
        return np.concatenate([part[self._decide(rows, part, start)] for part in parts])

    def _decide(self, rows: tuple[Pair, Pair], elements: npt.NDArray[np.intp], start: int) -> npt.NDArray[np.bool_]:
        distance = self._distances(rows, elements)
        ones = distance > 0
        for i in np.flatnonzero(np.abs(distance) <= self._scale * _PAIR_ERROR):
            ones[i] = self._exact.read(start + int(elements[i]), 1)[0] >> 7
        return ones

    def _distances(self, rows: tuple[Pair, Pair], elements: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """Return the distance of v / 2 to the nearest integer, minus 1/4, for each element."""
        row, column = elements >> _COLUMN_BITS, elements & _COLUMNS - 1
        cosines, sines = self._columns
        cosine = cosine_of_sum(take(rows[0], row), take(rows[1], row), take(cosines, column), take(sines, column))
        half = scale(cosine, self._scale / 2)
        fraction = half.high - np.rint(half.high)
        # Near 0, where the sign decides, only the last operation rounds.
        return (np.abs(fraction) - 0.25) + np.copysign(1.0, fraction) * half.low

    def _table(self, step: int, bits: int) -> tuple[Pair, Pair]:
        """Return cosines and sines of the elements 0 to 2^bits - 1 times `step`, computed by doubling."""
        table = from_fixed(1, 0), from_fixed(0, 0)
        for power in range(bits):
            turned = rotate(*table, *self._point(step << power))
            table = concatenate(table[0], turned[0]), concatenate(table[1], turned[1])
        return table

    def _point(self, element: int) -> tuple[Pair, Pair]:
        """Return cosine and sine of one element from exact integers, with an error of less than 2^-105."""
        phase = self._step * element >> _PHASE_GUARD & (1 << _BITS) - 1
        return (
            from_fixed(fixed_point.cosine(phase, _BITS), _BITS),
            from_fixed(fixed_point.sine(phase, _BITS), _BITS),
        )


def _check_range(first: int, count: int) -> None:
    if first < 0 or count < 0 or first + count > MAX_ELEMENTS:
        raise ValueError("an element index must be between 0 and 2^40 - 1")


def _set_bits(packed: Bytes) -> npt.NDArray[np.intp]:
    """Return the positions of the set bits. They are few, so whole words of zeros are skipped."""
    words = np.flatnonzero(packed.view(np.uint64))
    word, bit = np.nonzero(np.unpackbits(packed.reshape(-1, 8)[words], axis=1))
    return 64 * words[word] + bit


def _first_bits(data: bytes, count: int) -> bytes:
    """Return the first `count` bits; zeros fill the last byte."""
    whole, rest = divmod(count, 8)
    return data[:whole] + (bytes([data[whole] & 0xFF00 >> rest & 0xFF]) if rest else b"")


def _in_order(
    make: Callable[[tuple[int, int]], bytes], spans: Iterator[tuple[int, int]], workers: int
) -> Iterator[bytes]:
    """Yield the results of `make` in the order of the spans, while `workers` threads compute the next ones."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[bytes]] = deque()
        try:
            for span in spans:
                waiting.append(pool.submit(make, span))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
