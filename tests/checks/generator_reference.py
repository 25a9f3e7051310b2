# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The paper bits from PROTOCOL.md section 2 alone, element by element: nothing of the project is imported here."""

from typing import Any

import mpmath  # pyright: ignore[reportMissingTypeStubs]

# In the order of their numbers on the wire
F1 = ("sinusoid", "polynomial", "hyperbolic")
F2 = ("cosine", "cosine_square", "cosine_cube")


def angular_frequency(f1: str, p1: Any, p2: Any, k: int) -> Any:
    """Return y1 of a chain of operators."""
    if f1 == "sinusoid":
        return p2 * mpmath.sin(p1 * k)
    if f1 == "polynomial":
        return p1 * k + p2 * k**2
    return p2 * mpmath.sinh(p1 * mpmath.sin(k))


def bits_of_key(
    p1: str, p2: str, digits: int, k: int, first: int, count: int, f1: str = "sinusoid", f2: str = "cosine"
) -> str:
    """Return the bits of a chain (equation 7 by default), computed with 1100 or 2500 bits, as bytes in hex."""
    with mpmath.workprec(1100 if (f1, f2) == ("sinusoid", "cosine") else 2500):
        y1 = angular_frequency(f1, mpmath.mpf(p1), mpmath.mpf(p2), k)
        bits = ""
        for e in range(first, first + count):
            y2 = mpmath.cos(y1 * e ** (1 + F2.index(f2)))
            y3 = mpmath.floor(10**digits * abs(y2) + mpmath.mpf("0.5")) % 10
            bits += str(int(y3) % 2)
    return int(bits.ljust(-(-count // 8) * 8, "0"), 2).to_bytes(-(-count // 8)).hex()
