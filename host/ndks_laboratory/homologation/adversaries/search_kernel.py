# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Compiled branch and bound on the angular frequency.

A block contains the frequencies c + delta with delta within the reach. Its centre c is a whole number of 2^-64 turns,
so multiples of c are exact modulo a turn. With x = S cos(e (c + delta)) and S = 10^d, bit e is the parity of round(x).
Within a block e delta is small, and a few terms of the Taylor series give x from the cosine and sine of e c.

Strategy: for each element, the remaining intervals of delta are cut where x passes a half-integer and at turning
points of the cosine; pieces of the wrong parity are dropped. `slack` bounds the error of x, so that no fitting
frequency is lost. The work on an interval has no unpredictable branches, and most of it is vectorised (SIMD).
"""

import math
from typing import Any

import numpy as np

from .compiled import compiled

_RADIANS = 2 * math.pi * 2.0**-64


@compiled
def survivors(known: Any, scaled: Any, grid: Any, part: Any, reach: Any, room: Any) -> int:
    """Search a part of the blocks; write centre, least and greatest delta of the survivors, and return their number.

    `known`: elements and their bits. `scaled`: S and slack. `part`: the first block, and the one after the last.
    `grid`: step, remainder, denominator, blocks in a step, their distance, and offset, all uint64; the centre of block
    j = m blocks + s is m step + m remainder / denominator + s distance + offset. `room`: arrays for the survivors and
    for the intervals of a block. A result of one more than the room means that the search stopped early.
    """
    (elements, bits), (scale, slack), (first, last) = known, scaled, part
    step, remainder, denominator, many, distance, offset = grid
    centres, lows, highs, now, then, rounded = room
    found = 0
    for j in range(first, last):
        block = np.uint64(j)
        turns = block // many
        centre = turns * step + turns * remainder // denominator + (block % many) * distance + offset
        now[0, 0], now[1, 0] = reach
        count = 1
        for level in range(len(elements)):
            e = float(elements[level])
            angle = np.int64(np.uint64(elements[level]) * centre) * _RADIANS
            c, s = scale * math.cos(angle), scale * math.sin(angle)
            if abs(s) <= 1.1 * scale * e * max(-reach[0], reach[1]):
                count = _split(now, count, (c, s, e))
            _round(now, rounded, count, (float(bits[level]), slack), (c, s, e))
            count = _spread(now, rounded, count, then)
            _cut(then, count, (0.5 + slack, scale), (c, s, e))
            now, then = then, now
            if count == 0:
                break
        for i in range(count):
            if found == len(centres):
                return found + 1
            centres[found], lows[found], highs[found] = centre, now[0, i], now[1, i]
            found += 1
    return found


@compiled
def _split(now: Any, count: int, wave: Any) -> int:
    """Split intervals at a turning point of c cos(e delta) - s sin(e delta)."""
    c, s, e = wave
    turn = -math.atan(s / c) / e
    for i in range(count):
        low, high = now[0, i], now[1, i]
        margin = 1e-9 * (high - low)
        if low + margin < turn < high - margin:
            now[1, i] = turn
            now[0, count], now[1, count] = turn, high
            count += 1
    return count


@compiled
def _round(now: Any, rounded: Any, count: int, wanted: Any, wave: Any) -> None:
    """Write, for each interval, the first rounded value of the right parity, the number of such values, and whether
    the values rise (1) or fall (-1). `wanted`: the parity, and the error bound of values."""
    (bit, slack), (c, s, e) = wanted, wave
    for i in range(count):
        x, y = _value(c, s, e * now[0, i]), _value(c, s, e * now[1, i])
        up = 1.0 if y > x else -1.0
        n, end = np.rint(x - up * slack), np.rint(y + up * slack)
        n += up * abs(n - 2 * np.floor(0.5 * n) - bit)
        rounded[0, i], rounded[1, i], rounded[2, i] = n, np.floor((end - n) * up * 0.5) + 1, up


@compiled
def _spread(now: Any, rounded: Any, count: int, then: Any) -> int:
    """Copy each interval once for each of its rounded values; return the number of copies."""
    made, most = 0, then.shape[1] - 2
    for i in range(count):
        low, high, n, up = now[0, i], now[1, i], rounded[0, i], rounded[2, i]
        many = min(int(rounded[1, i]), most - made)
        then[0, made], then[1, made], then[2, made], then[3, made] = low, high, n, up
        then[0, made + 1], then[1, made + 1], then[2, made + 1], then[3, made + 1] = low, high, n + 2 * up, up
        for k in range(2, many):  # rare: two copies are written always, which saves branch mispredictions
            then[0, made + k], then[1, made + k], then[2, made + k], then[3, made + k] = low, high, n + 2 * k * up, up
        made += many
    return made


@compiled
def _cut(then: Any, count: int, scaled: Any, wave: Any) -> None:
    """Cut each copy to the part that rounds to its value. `scaled`: one half plus slack, and S."""
    (half, scale), (c, s, e) = scaled, wave
    for i in range(count):
        n, up = then[2, i], then[3, i]
        left, right = _where(n - up * half, up, c, s, scale), _where(n + up * half, up, c, s, scale)
        left, right = left * (1 / e), right * (1 / e)
        low, high = then[0, i], then[1, i]
        # A cut outside of the interval is beyond a turning point, and not needed.
        then[0, i] = left if low < left < high else low
        then[1, i] = right if low < right < high else high


@compiled
def _value(c: float, s: float, t: float) -> float:
    """Return c cos t - s sin t."""
    return c * (1 - t * t * (0.5 - t * t / 24)) - s * t * (1 - t * t / 6)


@compiled
def _where(value: float, up: float, c: float, s: float, scale: float) -> float:
    """Return the t at which c cos t - s sin t has a value, on its rising (1) or falling (-1) side."""
    value = min(max(value, -scale), scale)
    root = -up * math.sqrt((scale - value) * (scale + value))
    sine = (root * c - value * s) * (1 / (scale * scale))
    return sine * (1 + sine * sine * (1 / 6 + sine * sine * 0.075))
