# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Parameters of the key generator: names, limits, and exact decimals (PROTOCOL.md section 2).

A board checks them here, without the modules of the generator.
"""

# Operators. The number of one on the wire is its position.
F1 = ("sinusoid", "polynomial", "hyperbolic")
F2 = ("cosine", "cosine_square", "cosine_cube")  # y2 = cos(y1 e), cos(y1 e^2), cos(y1 e^3)

MAX_DIGITS = 12
MAX_INDEX = 1 << 64
MAX_ELEMENTS = 1 << 40
MAX_CHARACTERS = 80
MAX_HYPERBOLIC_P1 = 1000  # sinh grows like e^|p1|, and so does the precision it needs


def check_parameters(
    p1: str, p2: str, digits: int, f1: str = F1[0], f2: str = F2[0]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return p1 and p2 as (numerator, denominator). ValueError: a parameter is out of range."""
    if not 1 <= digits <= MAX_DIGITS:
        raise ValueError("d lies between 1 and 12")
    if f1 not in F1:
        raise ValueError("f1 is one of " + ", ".join(F1))
    if f2 not in F2:
        raise ValueError("f2 is one of " + ", ".join(F2))
    first, second = parse_decimal(p1), parse_decimal(p2)
    if f1 == "hyperbolic" and abs(first[0]) > MAX_HYPERBOLIC_P1 * first[1]:
        raise ValueError("p1 of a hyperbolic f1 lies between -1000 and 1000")
    return first, second


def parse_decimal(text: str) -> tuple[int, int]:
    """Return (numerator, denominator) of a decimal that matches `-?[0-9]+(\\.[0-9]+)?`.

    Raise ValueError for any other text, for more than 80 characters, and for zero, which would make all keys equal.
    """
    whole, point, fraction = (text[1:] if text[:1] == "-" else text).partition(".")
    if len(text) > MAX_CHARACTERS:
        raise ValueError("a decimal has at most 80 characters")
    if not _are_digits(whole) or (point and not _are_digits(fraction)):
        raise ValueError("a decimal is written like 25 or 0.52 or -1.5")
    numerator = int(whole + fraction)
    if numerator == 0:
        raise ValueError("the parameter must not be zero")
    return (-numerator if text[:1] == "-" else numerator), 10 ** len(fraction)


def _are_digits(text: str) -> bool:
    # str.isdigit would also accept the digits of other scripts.
    return len(text) > 0 and all([character in "0123456789" for character in text])
