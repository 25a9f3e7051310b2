# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a unit keeps of generations (records 20 to 22), and how epochs follow each other in them."""

from typing import NamedTuple

from .capsules import derive, epoch_key, header_key_of, later_member_key
from .rules import AHEAD, LAST_NUMBER, LIMITS, holds

Operators = tuple[int, int, int]  # d, f1, f2

UNSETTLED, SETTLED, LIST_GREW = 0, 1, 2


class Side(NamedTuple):
    """A generation that went past the present one, in the notice of a merge."""

    g: int
    secret: bytes
    revoked: frozenset[int]
    operators: Operators


class Notice(NamedTuple):
    """What an administrator says to a unit."""

    g: int
    operators: Operators
    secret: bytes
    revoked: tuple[int, ...]
    sides: tuple[Side, ...]


class Past(NamedTuple):
    """A generation that was left, for late messages."""

    g: int
    operators: Operators
    header_key: bytes
    secret: bytes  # E of epoch `low`
    low: int
    number: int
    revoked: frozenset[int]

    def key_of(self, number: int) -> bytes:
        return epoch_key(self.secret, number - self.low)


class Generation(NamedTuple):
    """The present generation. Without a member key it is that of a network of before."""

    g: int
    operators: Operators
    member_key: bytes  # M of generation g + 1
    header_key: bytes
    control_key: bytes
    secret: bytes  # E of epoch `low`
    low: int
    number: int
    moves: tuple[int, ...]  # the epochs that this unit left in its last moves
    revoked: frozenset[int]
    mode: str
    settled: int

    key_of = Past.key_of

    @property
    def as_past(self) -> Past:
        return Past(self.g, self.operators, self.header_key, self.secret, self.low, self.number, self.revoked)

    def moved(self, number: int) -> "Generation":
        """Return this generation at a later epoch; the one before the last moves is gone."""
        number = min(number, self.number + AHEAD, LAST_NUMBER)
        moves = (*self.moves, self.number)[-LIMITS.moves :]
        low = moves[0] if len(moves) == LIMITS.moves else self.low
        if not holds("retention by own moves"):
            low = max(self.low, number - LIMITS.moves)
        settled = UNSETTLED if low > self.low else SETTLED
        return self._replace(number=number, moves=moves, secret=self.key_of(low), low=low, settled=settled)


def entered(member_key: bytes, notice: Notice, mode: str, settled: int) -> Generation:
    """Return a generation at its first epoch; `member_key` is M of this generation."""
    return Generation(
        notice.g,
        notice.operators,
        later_member_key(member_key, 1),
        header_key_of(notice.secret),
        derive(notice.secret, "ndks control"),
        notice.secret,
        0,
        0,
        (),
        frozenset(notice.revoked),
        mode,
        settled,
    )


def past_after(here: Generation | None, past: tuple[Past, ...], notice: Notice) -> tuple[Past, ...]:
    """Return record 21 for the generation of this notice: the one that is left, and those that the notice carries."""
    kept: dict[int, Past] = {entry.g: entry for entry in past}
    if here:
        kept[here.g] = here.as_past if holds("the past is without M and C") else here  # type: ignore[assignment]
    for side in notice.sides:
        if side.g < notice.g and side.g not in kept:
            key = header_key_of(side.secret)
            kept[side.g] = Past(side.g, side.operators, key, side.secret, 0, 0, side.revoked)
    return tuple(kept[g] for g in sorted(kept, reverse=True)[: LIMITS.past])
