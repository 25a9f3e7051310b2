# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Texts from outside, as they may be shown."""


def printable(text: str) -> str:
    """Return a name from the system as it may be shown on a terminal: mount points and USB strings hold any bytes."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
