# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Requests from the program that receives: the next events, in order or as they come, and what it has taken.

In order, `taken` names a place, and all up to it is forgotten. A program that does not wait for order (`unordered`)
also gets messages for which earlier ones are missing, and confirms each event singly: `early` ones by lane and s,
others by their place and `alone`. What one program has confirmed no other gets, however it receives.
"""

import base64
from typing import TYPE_CHECKING, Any

from ...exceptions import UnitBusy, UsageError
from ..arrivals import Arrivals
from ..events import Delivered, Lost
from ..inboxes import Inboxes
from ..store import Store
from .inputs import Asked, number_in

if TYPE_CHECKING:
    from .loop import Loop

_MOST = 64  # events in one answer
_OWN_NAMES = "confirm what it got, each by its own name"


class Receivers:
    """One program at a time receives; what it has not confirmed, the next one gets again."""

    def __init__(self, loop: "Loop", store: Store) -> None:
        self._loop = loop
        self._store = store
        self._arrivals = Arrivals(store)
        self._receiver: object | None = None
        self._waiting: Asked | None = None  # until there is something
        self._given = set[int]()  # places of what the receiver got, and has not confirmed
        self._early = set[tuple[int, int]]()  # lane and s of what the receiver got early, and has not confirmed

    def next(self, asked: Asked) -> dict[str, Any] | None:
        """Return the next events; None: the answer comes when there is one. UnitBusy: another program receives."""
        if self._receiver not in (None, asked.program):
            raise UnitBusy("another program receives the messages of this agent", "end it first")
        self._receiver = asked.program
        events = self._events(asked)
        if not events and asked.values.get("wait"):
            self._waiting = asked
            return None
        return {"events": events}

    def taken(self, asked: Asked) -> dict[str, Any]:
        """Forget what the program has on its own disk. UsageError: it did not get that from this connection."""
        if asked.program is not self._receiver:
            raise UsageError("this program has received nothing", "receive first, and confirm by the same connection")
        if "lane" in asked.values:
            self._taken_early(number_in(asked, "lane"), number_in(asked, "s"))
            return {}
        place, is_alone = number_in(asked, "place"), bool(asked.values.get("alone"))
        if place not in self._given:
            raise UsageError("this program did not get what is at that place", _OWN_NAMES)
        with self._store.step():
            self._arrivals.taken_alone(place) if is_alone else self._arrivals.taken(place)
        self._given = {given for given in self._given if (given != place if is_alone else given > place)}
        return {}

    def arrived(self) -> None:
        """Give the receiver that waits what there is."""
        asked = self._waiting
        if asked and (events := self._events(asked)):
            self._waiting = None
            asked.answered({"events": events})

    def leave(self, program: object) -> None:
        """Let another program receive."""
        if self._receiver is program:
            self._receiver = self._waiting = None
            self._given.clear()
            self._early.clear()

    def _events(self, asked: Asked) -> list[dict[str, Any]]:
        found = self._arrivals.after(number_in(asked, "after", 0), _MOST + len(self._early))
        known = [(place, event) for place, event in found if not self._is_known(event)][:_MOST]
        self._given |= {place for place, _ in known}
        early = self._early_events(_MOST - len(known)) if asked.values.get("unordered") else []
        return [_values(*each) for each in known] + early

    def _is_known(self, event: Delivered | Lost) -> bool:
        return isinstance(event, Delivered) and (event.lane, event.s) in self._early

    def _early_events(self, most: int) -> list[dict[str, Any]]:
        messages = self._arrivals.early(most, self._early)
        self._early |= {(message.lane, message.s) for message in messages}
        return [_of_message("early", message) for message in messages]

    def _taken_early(self, lane: int, s: int) -> None:
        if (lane, s) not in self._early:
            raise UsageError("this program did not get that message early", _OWN_NAMES)
        if not (agent := self._loop.agent):
            with self._store.step():
                self._arrivals.taken_early(Inboxes(self._store), lane, s)
        elif not self._loop.do(lambda: agent.taken_early(lane, s)):
            raise self._loop.away()
        self._early.discard((lane, s))


def _values(place: int, event: Delivered | Lost) -> dict[str, Any]:
    if isinstance(event, Delivered):
        return {"place": place} | _of_message("late" if event.late else "message", event)
    span = {"first": event.first, "last": event.last}
    return {"place": place, "kind": "lost", "lane": event.lane, **span, "why": event.why.name.lower()}


def _of_message(kind: str, message: Delivered) -> dict[str, Any]:
    data = base64.b64encode(message.data).decode()
    return {"kind": kind, "lane": message.lane, "s": message.s, "content": message.content, "data": data}
