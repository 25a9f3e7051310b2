# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Requests of programs: send a message, receive, confirm, status, renew, role.

Request and answer are JSON objects; what is bytes is Base64. One program at a time receives: what it confirms is
forgotten, and what it has not confirmed, the next one gets again.
"""

import base64
import binascii
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ndks_protocol.wire import ELECTED, MONITOR, RELAY

from ...exceptions import NdksError, UnitBusy, UsageError
from ..arrivals import Arrivals
from ..events import Delivered, Lost
from ..limits import Limits
from ..outbox import Outbox
from ..sending import check_message
from ..store import Store
from .inputs import Asked

if TYPE_CHECKING:
    from .loop import Loop

ROLES = {"elected": ELECTED, "relay": RELAY, "monitor": MONITOR}
_MOST = 64  # events in one answer


class NotYet(NdksError):
    """The unit is not at hand, or has no generation yet."""

    code = "NOT_YET"
    exit_status = 3
    usual_advice = "messages are kept until then; ndks network status tells more"


class Requests:
    """Answers the requests of programs, in the thread of the loop."""

    def __init__(self, loop: "Loop", store: Store, limits: Limits) -> None:
        self._loop = loop
        self._store = store
        self._limits = limits
        self._outbox = Outbox(store, limits)
        self._arrivals = Arrivals(store)
        self._receiver: object | None = None
        self._waiting: tuple[int, Asked] | None = None  # the receiver waits for events after a place
        self._verbs: dict[str, Callable[[Asked], dict[str, Any] | None]] = {
            "send": self._send,
            "next": self._next,
            "taken": self._taken,
            "status": self._status,
            "renew": self._renew,
            "role": self._role,
        }

    def answer(self, asked: Asked) -> None:
        """Answer a request, at once or when there is something to receive."""
        try:
            verb = self._verbs.get(str(asked.values.get("do")))
            if not verb:
                raise UsageError("there is no such request", "use the ndks of the same version")
            values = verb(asked)
        except NdksError as error:
            asked.answered(error)
        except Exception as error:
            asked.answered(NdksError(f"the request failed: {type(error).__name__}"))
        else:
            if values is not None:
                asked.answered(values)

    def arrived(self) -> None:
        """Give the receiver that waits what there is."""
        if not self._waiting:
            return
        place, asked = self._waiting
        if events := self._arrivals.after(place, _MOST):
            self._waiting = None
            asked.answered({"events": [_values(*event) for event in events]})

    def leave(self, program: object) -> None:
        """Let another program receive."""
        if self._receiver is program:
            self._receiver = self._waiting = None

    def _send(self, asked: Asked) -> dict[str, Any]:
        data, content = _bytes(asked, "data"), _number(asked, "content", 0)
        check_message(content, data, self._limits)
        if self._outbox.last is None:
            raise NotYet("the agent has not seen its unit yet, so messages have no numbers")
        with self._store.step():
            s = self._outbox.add(content, data)
        self._loop.seal()
        return {"s": s, "waits": self._outbox.sealed(s) is None}

    def _next(self, asked: Asked) -> dict[str, Any] | None:
        if self._receiver not in (None, asked.program):
            raise UnitBusy("another program receives the messages of this agent", "end it first")
        self._receiver = asked.program
        place = _number(asked, "after", 0)
        events = self._arrivals.after(place, _MOST)
        if not events and asked.values.get("wait"):
            self._waiting = place, asked
            return None
        return {"events": [_values(*event) for event in events]}

    def _taken(self, asked: Asked) -> dict[str, Any]:
        with self._store.step():
            self._arrivals.taken(_number(asked, "place", 0))
        return {}

    def _renew(self, asked: Asked) -> dict[str, Any]:  # noqa: ARG002 (all verbs take the request)
        agent = self._loop.agent
        if not agent or not self._loop.do(agent.renew) or agent.epoch is None:
            raise self._away()
        return {"generation": agent.epoch >> 16, "number": agent.epoch & 0xFFFF}

    def _role(self, asked: Asked) -> dict[str, Any]:
        name = str(asked.values.get("role"))
        if name not in ROLES:
            raise UsageError(f"there is no role {name}", f"roles are {', '.join(ROLES)}")
        if not self._loop.agent:
            raise self._away()
        self._loop.set_role(ROLES[name])
        return {"role": name}

    def _status(self, asked: Asked) -> dict[str, Any]:  # noqa: ARG002
        from .status import status

        return status(self._loop, self._store)

    def _away(self) -> NdksError:
        return self._loop.problem or NotYet("the agent has not seen its unit yet")


def _values(place: int, event: Delivered | Lost) -> dict[str, Any]:
    if isinstance(event, Delivered):
        data = base64.b64encode(event.data).decode()
        kind = "late" if event.late else "message"
        return {"place": place, "kind": kind, "lane": event.lane, "s": event.s, "content": event.content, "data": data}
    span = {"first": event.first, "last": event.last}
    return {"place": place, "kind": "lost", "lane": event.lane, **span, "why": event.why.name.lower()}


def _bytes(asked: Asked, name: str) -> bytes:
    try:
        return base64.b64decode(asked.values[name], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise UsageError(f"{name} is not Base64") from None


def _number(asked: Asked, name: str, usual: int) -> int:
    value = asked.values.get(name, usual)
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise UsageError(f"{name} is not a number")
    return value
