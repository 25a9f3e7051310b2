# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Questions to the unit at a port, each in a session of its own."""

import ndks


def next_index(port: str) -> int:
    """Return the index of the unit's next exported key."""
    with ndks.open(port) as unit:
        return unit.next_index()[1]


def first_key(port: str, bits: int) -> bytes:
    """Return the first bits of key 1."""
    with ndks.open(port) as unit:
        return unit.key(1, bits).data
