# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Text from outside, made safe for a terminal."""


def printable(text: str) -> str:
    """Return a text with its control characters escaped: mount points and USB strings may contain any bytes."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
