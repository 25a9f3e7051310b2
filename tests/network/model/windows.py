# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The replay windows of a unit, for hosts that use the plain commands; the agent's store does without."""

from .capsules import Refused

SIZE = 256
MAX_JUMP = 1 << 20

Window = tuple[int, frozenset[int]]  # the highest accepted number, and all of the last SIZE
Windows = dict[int, Window]  # by lane


def check(windows: Windows, lane: int, n: int, *, again: bool, allow_jump: bool) -> None:
    """Check a number of a sender. Refused TOO_OLD, DUPLICATE, TOO_FAR."""
    top, seen = windows.get(lane, (0, frozenset()))
    if not again and top - n >= SIZE:
        raise Refused("TOO_OLD")
    if not again and n in seen:
        raise Refused("DUPLICATE")
    if not allow_jump and n > top + MAX_JUMP:
        raise Refused("TOO_FAR")


def accepted(windows: Windows, lane: int, n: int) -> Windows:
    """Return the windows after a number was accepted."""
    top, seen = windows.get(lane, (0, frozenset()))
    top = max(top, n)
    return windows | {lane: (top, frozenset(m for m in seen | {n} if m > top - SIZE))}
