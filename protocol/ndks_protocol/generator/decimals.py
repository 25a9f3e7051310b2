# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Parser for the parameters p1 and p2, which are exact decimals."""

MAX_CHARACTERS = 80


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
