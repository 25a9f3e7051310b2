# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The order in which the requests of all clients go to the unit.

Strategy: the lowest class goes first. Within a class it is the client that used the least of the unit's time in the
last second, so that a client gains nothing by asking more. A class that waits gets at least one turn in TURNS. A
request at the unit cannot be interrupted.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ndks_protocol import service
from ndks_protocol.commands import Command

# Classes
OF_NETWORK = 0
OF_MESSAGES = 1
OF_KEYS = 2
OF_STREAMS = 3
CLASSES = 4
TURNS = 8  # a class that waits gets at least one of these
_LATE = TURNS - CLASSES + 1  # turns of others after which a class is late: up to three may be so at the same time
_MEMORY = 1.0  # seconds for which the use of the unit's time counts

Clock = Callable[[], float]
Outcome = bytes | int  # the payload of an answer, or an error code


@dataclass(eq=False)
class Job:
    """A request to the unit. `done` is called once, in the thread that drives the unit.

    `follow` takes the payload of the answer, and returns the job that the unit does next, before all others.
    """

    command: Command
    payload: bytes = field(repr=False)
    client: object
    order: int  # its class
    done: Callable[[Outcome], object] = field(repr=False)
    is_durable: bool = False  # `done` comes after this laptop's counters are on the disk
    follow: "Callable[[bytes], Job | None] | None" = field(default=None, repr=False)
    tries: int = 0
    since: float = 0.0  # when it began to wait


class Use:
    """How long a client has used the unit in the last second."""

    def __init__(self) -> None:
        self._spans: deque[tuple[float, float]] = deque()  # end, seconds
        self._seconds = 0.0

    def add(self, now: float, seconds: float) -> None:
        self._spans.append((now, seconds))
        self._seconds += seconds

    def seconds(self, now: float) -> float:
        """Return the seconds used since a second ago."""
        while self._spans and self._spans[0][0] < now - _MEMORY:
            self._seconds -= self._spans.popleft()[1]
        return self._seconds if self._spans else 0.0


class Order:
    """Jobs that wait for the unit. Clients put them in one thread; who drives the unit takes them."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.clock = clock
        self.at_once = 2  # jobs at the unit at a time: two hide the round trip, one makes the next wait less
        self.is_closed = False
        self.on_change: Callable[[], object] | None = None  # called after `put` and `close`
        self._changed = threading.Condition()
        self._waiting: list[dict[object, deque[Job]]] = [{} for _ in range(CLASSES)]
        self._passed = [0] * CLASSES  # turns of others since a class began to wait
        self._uses: dict[object, Use] = {}

    def put(self, job: Job, *, again: bool = False) -> None:
        """Queue a job; with `again`, before all others of its client, if that is here. After `close` it is NO_UNIT."""
        with self._changed:
            is_closed = self.is_closed
            if not is_closed and not (again and job.client not in self._uses):
                self._put(job, again=again)
        if is_closed:
            job.done(service.NO_UNIT)
        elif self.on_change:
            self.on_change()

    def take(self, at_unit: int, longest: float) -> Job | None:
        """Return the job whose turn it is. If the unit is idle, wait for one for `longest` seconds."""
        with self._changed:
            if at_unit >= self.at_once or self.is_closed:
                return None
            if longest and not at_unit and not self._is_waiting():
                self._changed.wait_for(lambda: self._is_waiting() or self.is_closed, longest)
            return self._next() if self._is_waiting() and not self.is_closed else None

    def used(self, client: object, seconds: float) -> None:
        """Note that a client's request has taken the unit so long."""
        with self._changed:
            if client in self._uses:  # otherwise it has left
                self._uses[client].add(self.clock(), seconds)

    def older_than(self, seconds: float) -> list[Job]:
        """Remove and return the jobs that have waited this long."""
        with self._changed:
            before = self.clock() - seconds
            return self._remove(lambda job: job.since <= before)

    def forget(self, client: object) -> None:
        """Remove the jobs of a client that has left."""
        with self._changed:
            self._remove(lambda job: job.client is client)
            self._uses.pop(client, None)

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than until `close`."""
        with self._changed:
            self._changed.wait_for(lambda: self.is_closed, seconds)

    def close(self) -> list[Job]:
        """Let the thread of the unit end; return the jobs that wait."""
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()
            removed = self._remove(lambda _: True)
        if self.on_change:
            self.on_change()
        return removed

    def _put(self, job: Job, *, again: bool) -> None:
        job.since = job.since if again else self.clock()
        self._uses.setdefault(job.client, Use())
        queue = self._waiting[job.order].setdefault(job.client, deque())
        queue.appendleft(job) if again else queue.append(job)
        self._changed.notify()

    def _is_waiting(self) -> bool:
        return any(self._waiting)

    def _next(self) -> Job:
        turn = self._class_in_turn()
        now = self.clock()
        queues = self._waiting[turn]
        client = min(queues, key=lambda each: (self._seconds_of(each, now), queues[each][0].since))
        job = queues[client].popleft()
        if not queues[client]:
            del queues[client]
        return job

    def _class_in_turn(self) -> int:
        waiting = [number for number in range(CLASSES) if self._waiting[number]]
        late = [number for number in waiting if self._passed[number] >= _LATE]
        turn = max(late, key=lambda number: self._passed[number]) if late else waiting[0]
        for number in range(CLASSES):
            is_passed = number in waiting and number != turn
            self._passed[number] = self._passed[number] + 1 if is_passed else 0
        return turn

    def _seconds_of(self, client: object, now: float) -> float:
        return self._uses[client].seconds(now) if client in self._uses else 0.0

    def _remove(self, is_meant: Callable[[Job], bool]) -> list[Job]:
        removed: list[Job] = []
        for queues in self._waiting:
            for client, jobs in list(queues.items()):
                removed += filter(is_meant, jobs)
                queues[client] = deque(job for job in jobs if not is_meant(job))
                if not queues[client]:
                    del queues[client]
        return removed
