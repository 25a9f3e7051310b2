# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The twisted Edwards form of Curve25519 in affine coordinates, and the comb of its base point: nothing of the project.

RFC 7748, section 4.1 (edwards25519): -x^2 + y^2 = 1 + d x^2 y^2.
"""

from typing import NamedTuple

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
TEETH, SPACING = 4, 64


class Point(NamedTuple):
    x: int
    y: int

    def __neg__(self) -> "Point":
        return Point(-self.x % P, self.y)

    def plus(self, other: "Point") -> "Point":
        mixed = D * self.x * other.x * self.y * other.y
        x = (self.x * other.y + self.y * other.x) * pow(1 + mixed, -1, P) % P
        y = (self.y * other.y + self.x * other.x) * pow(1 - mixed, -1, P) % P
        return Point(x, y)

    def doubled(self, times: int) -> "Point":
        point = self
        for _ in range(times):
            point = point.plus(point)
        return point


BASE_POINT = Point(
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)


def comb() -> bytes:
    """Return y + x, y - x and 2 d x y of 2^192 B +-2^128 B +-2^64 B +-B, in the order of the bits that are 1 for +."""
    *lower, highest = (BASE_POINT.doubled(SPACING * tooth) for tooth in range(TEETH))
    table = b""
    for signs in range(1 << len(lower)):
        point = highest
        for tooth, multiple in enumerate(lower):
            point = point.plus(multiple if signs >> tooth & 1 else -multiple)
        for number in (point.y + point.x, point.y - point.x, 2 * D * point.x * point.y):
            table += (number % P).to_bytes(32, "little")
    return table
