# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Agents that are broken on purpose: who kills these must find what is lost, doubled or out of order."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from ndks.agent.arrivals import Arrivals
from ndks.agent.events import Delivered
from ndks.agent.inboxes import Inboxes
from ndks.agent.receiving import Receiving
from ndks.agent.running.inputs import Asked
from ndks.agent.running.requests import Requests
from ndks.cli import main

_MOMENT = 0.03  # seconds in which a kill shows what is wrong
# Parts of the agent that are replaced; a fault knows more of them than others may.
_agent: Any = {each.__name__: each for each in (Arrivals, Inboxes, Receiving, Requests)}


def accepts_early() -> None:
    """Tell the program that a message is accepted, and then store it."""
    store = _agent["Requests"]._send

    def send(self: Any, asked: Asked) -> None:
        asked.answered({"s": (self._outbox.last or 0) + 1, "waits": True})
        time.sleep(_MOMENT)
        store(self, asked)

    _agent["Requests"]._send = send


def forgets_early() -> None:
    """Forget what was handed to the program, which has not confirmed it."""
    read = _agent["Arrivals"].after

    def after(self: Any, place: int, most: int) -> list[Any]:
        events = read(self, place, most)
        if events:
            with self._store.step():
                self.taken(events[-1][0])
        return events

    _agent["Arrivals"].after = after


def delivers_first() -> None:
    """Hand a message to the program in one step, and note in the next one that it was delivered."""
    note, tell = _agent["Inboxes"].deliver, _agent["Receiving"]._tell

    def deliver(self: Any, lane: int, s: int) -> Any:
        content, data = self.of(lane).waiting[s]
        Arrivals(self._store).add(Delivered(lane, s, content, data))
        self._store.write("COMMIT")
        time.sleep(5 * _MOMENT)
        self._store.write("BEGIN IMMEDIATE")
        return note(self, lane, s)

    def tell_others(self: Any, event: Any) -> None:
        if isinstance(event, Delivered):
            self._station.tell(event)
        else:
            tell(self, event)

    _agent["Inboxes"].deliver, _agent["Receiving"]._tell = deliver, tell_others


def does_not_wait() -> None:
    """Deliver what comes, in the order in which it comes."""
    _agent["Receiving"]._deliver = _deliver_all


def _deliver_all(self: Any, lane: int) -> None:
    for s in sorted(self.inboxes.of(lane).waiting):
        self._tell(self.inboxes.deliver(lane, s))


FAULTS: dict[str, Callable[[], None]] = {
    each.__name__: each for each in (accepts_early, forgets_early, delivers_first, does_not_wait)
}


def run(fault: str, arguments: Sequence[str]) -> None:
    """Run `ndks` with a fault."""
    FAULTS[fault]()
    raise SystemExit(main(list(arguments)))
