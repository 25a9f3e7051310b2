# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The operators f2 beyond equation 7: cos(y1 e^2) and cos(y1 e^3). A unit imports them only if its network uses one."""

from .fixed_point import cosine, sine
from .keystream import Keystream
from .operators import digit, parity


class PowerKeystream(Keystream):
    """The bits of one key whose phase is a polynomial of degree 2 or 3 in the element.

    Strategy: the method of finite differences on rotations (c, s) = (cos, sin). There is one rotation for the phase and
    one for each of its differences, up to the constant one. From one element to the next, each rotation is multiplied
    by the next higher one.
    """

    def _set_up(self) -> None:
        pass

    def _fill(self, out: bytearray, position: int, count: int, element: int) -> None:
        """Write `count` bits from `element` on to zeroed `out`, starting at bit `position`, a multiple of 8.

        Error bound: the error of a new rotation is below 13 ulp (9 in each coordinate). A multiplication adds the error
        of the factor and less than 2 ulp for rounding. After n multiplications the error of the phase's rotation is
        below 13 + 15 (n + C(n, 2)) ulp for e^2, plus 15 C(n, 3) for e^3; for n = 127 this is 5.2 * 10^6 < 2^23. The
        length of a rotation exceeds 1 by at most 2^23 ulp, which multiplies the bound by less than 1.1.
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
        """Return the rotations of the phase at `element` and of its differences, up to the constant one."""
        values = [(element + i) ** self._power for i in range(self._power + 1)]
        rotations: list[tuple[int, int]] = []
        while values:
            phase = self._phase(values[0], self._bits, self._step)
            rotations.append((cosine(phase, self._bits), sine(phase, self._bits)))
            values = [values[i + 1] - values[i] for i in range(len(values) - 1)]
        return rotations
