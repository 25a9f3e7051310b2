# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Which epochs a server issues in, and which it looks for."""

from collections.abc import Collection, Iterator, Sequence

from ndks_protocol.control.limits import SILENCE

_NUMBERS = 16  # how many epochs of a generation are looked for
_LATER = 7  # how many of them are later than the last one seen there


def generation_of(epoch: int) -> int:
    return epoch >> 16


def wanted(present: int, past: Sequence[int], seen: Collection[int]) -> Iterator[tuple[int, ...]]:
    """Yield the epochs that a unit may have kept, the latest first, for the present generation and each `past` one.

    A host does not know where its unit was when a generation ended: it looks around the last epoch that was `seen`.
    """
    yield tuple(range(present, present - min((present & 0xFFFF) + 1, _NUMBERS), -1))
    for generation in past:
        numbers = (epoch & 0xFFFF for epoch in seen if generation_of(epoch) == generation)
        last = max(max(numbers, default=0) + _LATER, _NUMBERS - 1)
        yield tuple(generation << 16 | each for each in range(last, last - _NUMBERS, -1))


class Settled:
    """The epoch that keys are issued in: the latest one that all units have heard of, if the network is not silent.

    `before` is the last one before this server was started.
    """

    def __init__(self, before: int | None = None) -> None:
        self._moves: list[tuple[int, float]] = [] if before is None else [(before, 0.0)]
        self._revoked: int | None = None

    def epoch(self, present: int, revoked: int, now: float) -> int:
        """Return it. A tick is a second; `now` is a time of any steady clock, `revoked` the number of revoked lanes."""
        if self._revoked is not None and revoked > self._revoked:
            self._moves = []  # whoever is revoked knows the keys of the epochs before
        self._revoked = revoked
        if not self._moves or self._moves[-1][0] != present:
            self._moves.append((present, now))
        while len(self._moves) > 1 and now - self._moves[1][1] >= SILENCE:
            del self._moves[0]
        return self._moves[0][0]

    def refuse(self) -> None:
        """Go on in the present epoch: the unit cannot give keys of those before."""
        del self._moves[:-1]
