# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Phase steps of keys, single bits by exact arithmetic, and the base class of fast keystreams."""

from ndks_protocol.parameters import MAX_ELEMENTS, MAX_INDEX, check_parameters
from ndks_protocol.turns import bits_above, in_turns, phase_of

from .circle import ERROR, Circle

try:
    from typing import Callable

    from ndks_protocol.generator import Keystream
except ImportError:  # not on the board, where annotations are not evaluated
    pass

_INDEX_BITS = 65
_ELEMENT_BITS = 48  # guard bits of the step: 2^41 elements times 2 ulp change the phase by 2^-6 ulp

_GAP = 256  # maximum distance of two elements in a run; lanes report the elements of a block of 128 in any order
_ROW = 24  # elements in a run before the slow generator takes over
_AHEAD = 256  # elements that the slow generator makes at a time; 40 ms


class Phases:
    """The parameters of a network, prepared for its keys. ValueError: a parameter is out of range.

    The phase of element e is frac(e y1 / 2 pi), with y1 / 2 pi = (p2 / 2 pi) sin(2 pi frac(k p1 / 2 pi)). Both
    quotients are stored with `inner` bits, m + 8 more than a step has, where |p2| < 2^m.
    """

    def __init__(self, p1: str, p2: str, digits: int, feed_watchdog: "Callable[[], None]"):
        self.digits = digits
        self.scale = 10**digits
        self.bits = 96
        self.step_bits = self.bits + _ELEMENT_BITS
        self.mask = (1 << self.step_bits) - 1
        self.circle = Circle(self.bits)
        self.feed_watchdog = feed_watchdog
        self._parameters = p1, p2, digits
        first, second = check_parameters(p1, p2, digits)
        self._inner = self.step_bits + bits_above(second) + 8
        self._first = phase_of(first[0], first[1], self._inner + _INDEX_BITS)
        self._second = in_turns(second[0], second[1], self._inner)
        self._circle_of_keys = Circle(self._inner)

    def step(self, index: int) -> int:
        """Return frac(y1 / 2 pi) of a key with `step_bits` fractional bits and an error below 2 ulp.

        Error bound, in ulp of `inner` bits: the phase of the sine has less than 1.6 (1.1 * 2^64 / 2^65, plus the
        shift), hence the sine less than 10.1 + ERROR. Times |p2| / 2 pi < 2^m / 6 this is less than 2^(m + 2), or 2^-6
        ulp of the result. The 1.1 ulp of the other factor add less than that, and the last shift adds 1.
        """
        if not 1 <= index <= MAX_INDEX:
            raise ValueError("a key index lies between 1 and 2^64")
        phase = self._first * index >> _INDEX_BITS & (1 << self._inner) - 1
        turn = 1 << self._inner
        sine = self._circle_of_keys.cosine((phase - (turn >> 2)) & (turn - 1))
        return self._second * sine >> 2 * self._inner - self.step_bits & self.mask

    def bit(self, index: int, step: int, element: int) -> int:
        """Return one bit of a key by exact arithmetic.

        The error of the phase is below 1.1 ulp (shift and step), that of y2 below ERROR + 1.1 * 2 pi. If this leaves
        any doubt, the slow generator decides by Ziv's method.
        """
        self.feed_watchdog()
        bits = self.bits
        phase = (step * element & self.mask) >> _ELEMENT_BITS
        value = abs(self.circle.cosine(phase)) * self.scale + (1 << bits - 1)
        error = (ERROR + 8) * self.scale
        rounded = value + error >> bits
        if rounded != value - error >> bits:
            rounded = self.slow_key(index).read(element, 1)[0] >> 7
        return rounded & 1

    def slow_key(self, index: int) -> "Keystream":
        """Return a keystream of the exact generator, which is loaded for the first doubt: most units never have one."""
        from ndks_protocol.generator import Generator

        return Generator(*self._parameters).key(index)


class FastKeystream:
    """The bits of one key, with random access. A subclass computes whole bytes in `_fill`."""

    piece = 256  # bytes per read: 0.1 s, without rows of exact arithmetic, which feed the watchdog

    def __init__(self, phases: Phases, index: int):
        self.index = index
        self._phases = phases
        self._step = phases.step(index)
        self._previous = -_GAP  # the last element computed by exact arithmetic
        self._row = 0  # length of the current run of such elements
        self._slow: "Keystream | None" = None
        self._ahead = b""  # bits of the slow generator, from element _ahead_first on
        self._ahead_first = -1

    def read_into(self, view: "bytearray | memoryview", first: int) -> None:
        """Fill `view` with the bits from element `first` on, a multiple of 8."""
        if first < 0 or first + 8 * len(view) > MAX_ELEMENTS:
            raise ValueError("an element index lies between 0 and 2^40 - 1")
        self._fill(view, first >> 3)

    def _fill(self, data: "bytearray | memoryview", position: int) -> None:
        """Fill `data` with the bytes of the key from `position` on."""
        raise NotImplementedError

    def _exact(self, element: int) -> int:
        """Return one bit by exact arithmetic, or by the slow generator, which is faster for a long run.

        Runs occur if the phase passes a threshold slowly, or returns to it periodically.
        """
        self._row = self._row + 1 if abs(element - self._previous) < _GAP else 0
        self._previous = element
        if self._row < _ROW:
            return self._phases.bit(self.index, self._step, element)
        position = element % _AHEAD
        if element - position != self._ahead_first:
            self._phases.feed_watchdog()
            self._slow = self._slow or self._phases.slow_key(self.index)
            self._ahead = self._slow.read(element - position, _AHEAD)
            self._ahead_first = element - position
        return self._ahead[position >> 3] >> 7 - (position & 7) & 1
