# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""y2 = cos(y1 e^2) and cos(y1 e^3). A unit loads this when its network has them."""

from .fixed_point import cosine, sine
from .keystream import Keystream
from .operators import digit, parity


class PowerKeystream(Keystream):
    """The bits of one key whose phase is a polynomial of degree 2 or 3 in the element.

    Strategy: differences of the phase, up to the constant one, as rotations (c, s) = (cos, sin). From one element to
    the next each rotation is multiplied by the next higher one: the phase grows by its difference, that by its own.
    """

    def _set_up(self) -> None:
        pass

    def _fill(self, out: bytearray, position: int, count: int, element: int) -> None:
        """Write `count` bits from `element` on to bit `position`, a multiple of 8, of `out`, which are 0.

        Error bound: a rotation is at first less than 13 ulp off (9 each way). A multiplication adds the error of the
        factor and less than 2 for rounding, so that after n of them the lowest is less than 13 + 15 (n + C(n, 2)) off
        for e^2, and 15 C(n, 3) more for e^3: n = 127 makes 5.2 * 10^6 < 2^23. Lengths exceed 1 by at most 2^23 ulp,
        which multiplies this by less than 1.1.
        """
        rotations = self._rotations(element)
        bits, scale = self._bits, self._scale
        for j in range(count):
            y3 = digit(rotations[0][0], bits, scale, 1 << 23)
            if parity(y3) if y3 >= 0 else self._bit(element + j):
                out[position + j >> 3] |= 0x80 >> (j & 7)
            for i in range(self._power):
                a, b = rotations[i]
                c, s = rotations[i + 1]
                rotations[i] = (a * c - b * s >> bits, a * s + b * c >> bits)

    def _rotations(self, element: int) -> list[tuple[int, int]]:
        """Return those of the phase at `element` and of its differences up to the one that is constant."""
        values = [(element + i) ** self._power for i in range(self._power + 1)]
        rotations: list[tuple[int, int]] = []
        while values:
            phase = self._phase(values[0], self._bits, self._step)
            rotations.append((cosine(phase, self._bits), sine(phase, self._bits)))
            values = [values[i + 1] - values[i] for i in range(len(values) - 1)]
        return rotations
