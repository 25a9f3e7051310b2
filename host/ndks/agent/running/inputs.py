# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What comes to the loop of an agent from other threads: packets of carriers, requests of programs, the end."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...carriers.carrier import Received

_MOST = 256  # packets that wait; then the threads of carriers do


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


class Inputs:
    """Two queues, from which requests and packets are taken in turn: programs that only send shut out no packets."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asked: deque[Asked | Left] = deque()
        self._received: deque[Received] = deque()
        self._was_asked = False  # the last input was a request
        self._is_ended = False

    def receive(self, received: Received) -> None:
        """Put a packet; wait while too many do, and drop it at the end: it was not taken."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._received) < _MOST or self._is_ended)
            self._received.append(received)
            self._changed.notify_all()

    def ask(self, asked: Asked | Left) -> None:
        with self._changed:
            self._asked.append(asked)
            self._changed.notify_all()

    def end(self) -> None:
        """Let `take` and `is_ended` tell that the loop ends; may be called in a signal handler's thread."""
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
                return self._received.popleft()
            return None
