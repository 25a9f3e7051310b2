# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What comes to the loop of an agent from other threads: packets of carriers, requests of programs, the end."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...carriers.carrier import Received
from ...exceptions import UsageError

_MOST = 256  # packets that wait; beyond that, the carriers' threads wait
_MOST_BYTES = 32 << 20  # of them, and one more packet from each carrier


@dataclass(frozen=True)
class Asked:
    """A request of a program; `answered` is called with the values of its answer, or an NdksError."""

    program: object  # the same for all requests of one connection
    values: dict[str, Any] = field(repr=False)
    answered: Callable[[dict[str, Any] | Exception], object]


@dataclass(frozen=True)
class Left:
    """A program has closed its connection."""

    program: object


Input = Received | Asked | Left


def number_in(asked: Asked, name: str, usual: int | None = None) -> int:
    """Return a number of a request. UsageError: it is not one, or it is missing and has no default."""
    value = asked.values.get(name, usual)
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise UsageError(f"{name} is not a number")
    return value


class Inputs:
    """Two queues, from which requests and packets are taken in turn: programs that only send shut out no packets."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asked: deque[Asked | Left] = deque()
        self._received: deque[Received] = deque()
        self._size = 0  # bytes of packets that wait
        self._was_asked = False  # the last input was a request
        self._is_ended = False

    def receive(self, received: Received) -> None:
        """Put a packet; block while too many wait, and drop it at the end: it was not taken."""
        with self._changed:
            self._changed.wait_for(self._has_room)
            if self._is_ended:
                return
            self._received.append(received)
            self._size += len(received.packet)
            self._changed.notify_all()

    def _has_room(self) -> bool:
        return (len(self._received) < _MOST and self._size < _MOST_BYTES) or self._is_ended

    def ask(self, asked: Asked | Left) -> None:
        with self._changed:
            self._asked.append(asked)
            self._changed.notify_all()

    def end(self) -> None:
        """Have `take` and `is_ended` say that the loop ends; may be called in a signal handler's thread."""
        with self._changed:
            self._is_ended = True
            self._changed.notify_all()

    @property
    def is_ended(self) -> bool:
        return self._is_ended

    def take(self, longest: float, *, packets: bool) -> Input | None:
        """Return the next input, packets only if they are wanted now; None after so many seconds, or at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_ended or self._asked or (packets and self._received), longest)
            has_packet = packets and bool(self._received) and not self._is_ended
            self._was_asked = bool(self._asked) and not (self._was_asked and has_packet)
            if self._was_asked:
                return self._asked.popleft()
            if has_packet:
                self._changed.notify_all()
                received = self._received.popleft()
                self._size -= len(received.packet)
                return received
            return None
