# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Requests about checks over another channel: the check value of a message, who confirmed it, and when one is due."""

import logging
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from ...exceptions import UsageError
from ...laptop.check_book import Confirmation
from ..checking import Checking, Due, name_of
from ..events import Delivered, Event
from ..store import Store
from .inputs import Asked, number_in

_log = logging.getLogger(__name__)
_LONGEST = 200  # characters of a name, a channel, words, or an explanation
_MOST = 1_000_000  # messages between two checks


class Checks:
    """Answers requests about checks, in the thread of the loop, and says in the log when one is due."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._checking = Checking(store)
        self._said: dict[int, int] = {}  # by lane: how many times the schedule's messages had come when it was said

    def value(self, asked: Asked) -> dict[str, Any]:
        """Return the check value of a message. UsageError: it is not known."""
        lane, s = number_in(asked, "lane"), number_in(asked, "s")
        value = self._checking.book.value(name_of(lane, s))
        if not value:
            what = f"the check value of message {s} of lane {lane} is not known here"
            raise UsageError(what, "name a message that has come, or was sent, of late; older units need ndks deploy")
        return {"value": value.hex()}

    def confirm(self, asked: Asked) -> dict[str, Any]:
        """Note what somebody said about a message."""
        lane, s = number_in(asked, "lane"), number_in(asked, "s")
        who, channel, words = (_text(asked, name) for name in ("who", "channel", "words"))
        held, when = asked.values.get("held") is True, datetime.now(UTC).isoformat(timespec="seconds")
        with self._store.step():
            self._checking.confirm(lane, s, Confirmation(name_of(lane, s), who, when, channel, words, held))
        if not held:
            _log.warning("the words of message %d of lane %d differ: find out why, ndks confine", s, lane)
        return {"when": when}

    def resolve(self, asked: Asked) -> dict[str, Any]:
        """Note what was found out about the failures of a message. UsageError: it has none."""
        name = name_of(number_in(asked, "lane"), number_in(asked, "s"))
        with self._store.step():
            if not self._checking.book.resolve(name, _text(asked, "how")):
                raise UsageError(f"message {name} has no failure that is open", "list them: ndks check")
        return {}

    def schedule(self, asked: Asked) -> dict[str, Any]:
        """Make a check due after so many messages from a sender; 0: never."""
        every = number_in(asked, "every")
        if every > _MOST:
            raise UsageError(f"a check is due after {_MOST} messages at most", "name a smaller number, or 0 for never")
        with self._store.step():
            self._checking.schedule(every)
        return {"every": every}

    def all(self, asked: Asked) -> dict[str, Any]:  # noqa: ARG002 (all verbs take the request)
        """Return what is due, what failed, and what was confirmed."""
        return {**self.state(), "confirmations": [asdict(each) for each in self._checking.book.confirmations()]}

    def state(self) -> dict[str, Any]:
        """Return what is due and what failed."""
        return {
            "every": self._checking.every,
            "due": [_values(due) for due in self._checking.due()],
            "failures": [asdict(each) for each in self._checking.book.failures()],
        }

    def arrived(self, events: Iterable[Event]) -> None:
        """Say once for a sender that a check is due, and again each time that as many more messages have come."""
        lanes = {event.lane for event in events if isinstance(event, Delivered)}
        for due in self._checking.due() if lanes else ():
            times = due.messages // self._checking.every
            if due.lane in lanes and self._said.get(due.lane) != times:
                _log.warning("%s", text_of(_values(due)))
                self._said[due.lane] = times


def text_of(due: dict[str, Any]) -> str:
    """Return what is said about a check that is due, and what to do."""
    word = "overdue" if due["overdue"] else "due"
    name = f"{due['lane']}:{due['s']}" if due["s"] else f"{due['lane']}:S"
    messages = "1 message" if due["messages"] == 1 else f"{due['messages']} messages"
    return (
        f"a check with lane {due['lane']} by another channel is {word}: {messages} since the last one; "
        f"call its user, and run ndks check --message {name} --confirm NAME"
    )


def _values(due: Due) -> dict[str, Any]:
    return {"lane": due.lane, "s": due.s or None, "messages": due.messages, "overdue": due.is_overdue}


def _text(asked: Asked, name: str) -> str:
    text = asked.values.get(name)
    if not isinstance(text, str) or not text.isprintable() or not 1 <= len(text) <= _LONGEST:
        raise UsageError(f"{name} is no text of 1 to {_LONGEST} characters on one line")
    return text
