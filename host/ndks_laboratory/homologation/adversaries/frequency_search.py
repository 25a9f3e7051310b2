# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Search for the angular frequencies that give certain bits, and the bits of an angular frequency.

The bits depend on y1 = p2 sin(p1 k) only through w = +-y1 modulo pi, so the search covers [0, pi/2].
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..attack import Bits
from .compiled import on_all_cores
from .search_kernel import survivors

Elements = npt.NDArray[np.int64]
Phases = npt.NDArray[np.uint64]

TURN = 1 << 64
RADIANS = 2 * math.pi / TURN  # in one unit of phase

_FIRST_STAGE = 64  # bits searched in the first stage, after which few frequencies are left
_GROWTH = 4  # factor of the largest element from stage to stage
_PIECES = 64  # of an interval at the first element: more blocks need more cosines, fewer blocks have larger errors
_ARGUMENT = 0.05  # upper bound of e delta, for five terms of the Taylor series
_ROUNDING = 1e-15  # rounding error of values, relative to 10^d
_ROOM = 1 << 15  # survivors at most
_CHUNKS = 8  # of a search at least, for several cores ...
_STEPS = 1 << 19  # ... and their largest size, because the time is checked between them


class TooMany(Exception):
    """Too many frequencies fit, because too few bits are known."""


@dataclass(frozen=True)
class FrequencyWindow:
    """The frequencies centre + delta, with a centre in units of 2^-64 turns and delta from low to high in radians."""

    centre: int
    low: float
    high: float

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2

    @property
    def width(self) -> float:
        return self.high - self.low

    @property
    def frequency(self) -> float:
        """The middle of the window, in [0, pi/2]."""
        w = self.centre % (TURN // 2) * RADIANS + self.middle
        return abs(w - math.pi) if w > math.pi / 2 else abs(w)

    def recentred(self) -> "FrequencyWindow":
        """Return the same frequencies with a centre near their middle."""
        moved = round(self.middle / RADIANS)
        shift = moved * RADIANS
        return FrequencyWindow((self.centre + moved) % TURN, self.low - shift, self.high - shift)

    def values(self, digits: int, elements: Elements, delta: float) -> npt.NDArray[np.float64]:
        """Return 10^d cos(e w) for w = centre + delta."""
        phases = elements.astype(np.uint64) * np.uint64(self.centre)  # modulo 2^64, a whole turn
        angles = phases.view(np.int64) * RADIANS
        turned = elements * delta
        return 10.0**digits * (np.cos(angles) * np.cos(turned) - np.sin(angles) * np.sin(turned))

    def bits(self, digits: int, elements: Elements) -> Bits:
        """Return the bits of the middle frequency."""
        return parity(self.values(digits, elements, self.middle))


@dataclass(frozen=True)
class Blocks:
    """`count` blocks of frequencies, `many` around each multiple of half a turn / `parts`."""

    count: int
    parts: int
    many: int
    distance: int
    offset: int

    @classmethod
    def everywhere(cls, reach: float) -> "Blocks":
        """Return blocks that cover [0, pi/2], each of at most this reach."""
        quarter = 1 << max(0, math.ceil(math.log2(math.pi / 4 / reach)))
        return cls(quarter, 2 * quarter, 1, 0, TURN // 8 // quarter)

    @classmethod
    def about_fractions(cls, parts: int, width: float, reach: float) -> "Blocks":
        """Return blocks that cover the `width` around m pi / parts, 0 <= m <= parts / 2."""
        many = max(1, math.ceil(width / reach))
        distance = round(2 * width / many / RADIANS)
        return cls((parts // 2 + 1) * many, parts, many, distance, -(many - 1) * distance // 2 % TURN)

    @classmethod
    def around(cls, centre: int, width: float, reach: float) -> "Blocks":
        """Return blocks that cover the `width` around one frequency."""
        many = max(1, math.ceil(width / reach))
        distance = math.ceil(2 * width / many / RADIANS)
        return cls(many, 1, many, distance, (centre - (many - 1) * distance // 2) % TURN)

    @property
    def reach(self) -> float:
        between = self.distance if self.distance else TURN // 2 / self.parts
        return between * RADIANS / 2 * (1 + 1e-9)

    @property
    def grid(self) -> tuple[np.uint64, ...]:
        step, remainder = divmod(TURN // 2, self.parts)
        numbers = (step, remainder, self.parts, self.many, self.distance, self.offset)
        return tuple(np.uint64(number) for number in numbers)


def phase(angle: float) -> int:
    """Return an angle in units of 2^-64 turns."""
    return round(math.remainder(angle, 2 * math.pi) / RADIANS) % TURN


def parity(values: npt.NDArray[np.float64]) -> Bits:
    return (np.rint(values).astype(np.int64) & 1).astype(np.uint8)


def usual_reach(digits: int, elements: Elements) -> float:
    """Return the best reach of blocks for a search that begins with these elements."""
    return min(_PIECES / 10.0**digits, _ARGUMENT / float(elements[:_FIRST_STAGE][-1]))


def find(
    digits: int, elements: Elements, bits: Bits, check_time: Callable[[], None], blocks: Blocks | None = None
) -> list[FrequencyWindow]:
    """Return all windows of frequencies with these bits at these increasing elements, the widest first."""
    if np.any(bits[elements == 0]):
        return []  # round(10^d) is even
    bits, elements = bits[elements > 0], elements[elements > 0]
    if not len(elements):
        raise TooMany
    now = slice(0, _FIRST_STAGE)
    blocks = blocks or Blocks.everywhere(usual_reach(digits, elements))
    windows = _first_stage(digits, elements[now], bits[now], blocks, check_time)
    while windows and now.stop < len(elements):
        limit = _GROWTH * int(elements[now.stop - 1])
        now = slice(now.stop, int(np.searchsorted(elements, limit, "right")))
        now = slice(now.start, max(now.stop, now.start + 1))
        windows = [w for window in windows for w in _narrow(digits, elements[now], bits[now], window)]
        check_time()
    return sorted(windows, key=lambda window: -window.width)


def _first_stage(
    digits: int, elements: Elements, bits: Bits, blocks: Blocks, check_time: Callable[[], None]
) -> list[FrequencyWindow]:
    steps = 10.0**digits * blocks.reach + 1  # of one block, approximately
    size = min(max(512, blocks.count // _CHUNKS), math.ceil(_STEPS / steps))
    starts = range(0, blocks.count, size)
    windows: list[FrequencyWindow] = []
    reach = -blocks.reach, blocks.reach

    def search(start: int) -> list[FrequencyWindow]:
        return _search(digits, elements, bits, blocks, range(start, min(blocks.count, start + size)), reach)

    for found in map(search, starts) if len(starts) < 4 else on_all_cores(search, starts, check_time):
        windows += found
        if len(windows) > _ROOM:
            raise TooMany
    return [window.recentred() for window in windows]


def _narrow(digits: int, elements: Elements, bits: Bits, window: FrequencyWindow) -> list[FrequencyWindow]:
    """Return the parts of a window that fit further bits."""
    alone = Blocks(1, 1, 1, 0, window.centre)
    found = _search(digits, elements, bits, alone, range(1), (window.low, window.high))
    return [w.recentred() for w in found]


def _search(
    digits: int, elements: Elements, bits: Bits, blocks: Blocks, part: range, reach: tuple[float, float]
) -> list[FrequencyWindow]:
    scale = 10.0**digits
    farthest = float(elements[-1]) * max(map(abs, reach))
    slack = scale * (_ROUNDING + farthest**5 / 100)
    # An upper bound of the number of cuts; half of the pieces are kept.
    intervals = int(sum(scale * float(e) * (reach[1] - reach[0]) / 2 + 4 for e in elements[:_FIRST_STAGE])) + 8 * len(
        elements
    )
    room: tuple[Any, ...] = (
        np.empty(_ROOM, np.uint64),
        np.empty(_ROOM),
        np.empty(_ROOM),
        np.empty((4, intervals)),
        np.empty((4, intervals)),
        np.empty((3, intervals)),
    )
    found = survivors((elements, bits), (scale, slack), blocks.grid, (part.start, part.stop), reach, room)
    if found > _ROOM:
        raise TooMany
    centres, lows, highs = (array[:found].tolist() for array in room[:3])
    return [FrequencyWindow(*each) for each in zip(centres, lows, highs, strict=True)]
