# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The defaults of a network, and the rules that are left out to see that they are needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Limits:
    """Numbers of PROTOCOL.md's sections on networks. Smaller ones bring about rare cases sooner."""

    past: int = 6  # generations kept for late messages
    moves: int = 8  # moves of the epoch's number after which an epoch is gone
    pause: int = 64  # ticks between two moves
    block: int = 64  # own numbers reserved by one write
    kept_generations: int = 16  # of which the host keeps capsules, and says in reports where they begin
    kept_messages: int = 400


LIMITS = Limits()
SMALL = Limits(past=3, moves=4, pause=8, block=4, kept_generations=8)

BEACON, SILENCE, LONGEST_TICK = 8, 32, 16  # ticks
AHEAD = 4096  # steps of a ratchet at once
LAST_NUMBER = (1 << 14) - 1  # 14 bits in the header
LAST_TERM = (1 << 32) - 1
LAST_GENERATION = 65534
MOST_REVOKED = 96
MOST_SIDES = 6  # generations that a merge carries
KNOWN = 8  # generations that an administrator's record lists
ADMINISTRATORS = 4

left_out: set[str] = set()


def holds(rule: str) -> bool:
    """Return whether a rule is in force: all are, but for those of a test that leaves one out."""
    return rule not in left_out


@contextmanager
def without(rule: str) -> Iterator[None]:
    """Leave a rule out for a while."""
    left_out.add(rule)
    try:
        yield
    finally:
        left_out.remove(rule)


def set_limits(limits: Limits) -> None:
    """Use other defaults from now on."""
    vars(LIMITS).update(vars(limits))
