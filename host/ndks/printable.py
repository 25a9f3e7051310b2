# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Text from outside, made safe for a terminal."""


def printable(text: str) -> str:
    """Return a text on one line, with control characters escaped: names of files and USB strings may contain any."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
