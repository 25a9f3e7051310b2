# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Requests from programs: send a message, receive, confirm, status, renew, role, checks over another channel.

Request and answer are JSON objects; bytes are in Base64. One program at a time receives: what it confirms is
forgotten, and what it has not confirmed, the next one gets again (`receivers`).
"""

import base64
import binascii
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ndks_protocol.wire import ELECTED, MONITOR, RELAY

from ...exceptions import NdksError, UsageError
from ..limits import Limits
from ..outbox import Outbox
from ..sending import check_message
from ..store import Store
from .checks import Checks
from .inputs import Asked, number_in
from .receivers import Receivers

if TYPE_CHECKING:
    from .loop import Loop

ROLES = {"elected": ELECTED, "relay": RELAY, "monitor": MONITOR}


class Requests:
    """Answers the requests of programs, in the thread of the loop."""

    def __init__(self, loop: "Loop", store: Store, limits: Limits) -> None:
        self._loop = loop
        self._store = store
        self._limits = limits
        self._outbox = Outbox(store, limits)
        self.receivers = Receivers(loop, store)
        self.checks = Checks(store)
        self._verbs: dict[str, Callable[[Asked], dict[str, Any] | None]] = {
            "send": self._send,
            "next": self.receivers.next,
            "taken": self.receivers.taken,
            "status": self._status,
            "renew": self._renew,
            "role": self._role,
            "check": self.checks.value,
            "confirm": self.checks.confirm,
            "resolve": self.checks.resolve,
            "schedule": self.checks.schedule,
            "checks": self.checks.all,
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

    def _send(self, asked: Asked) -> dict[str, Any]:
        data, content = _bytes(asked, "data"), number_in(asked, "content", 0)
        check_message(content, data, self._limits)
        if self._outbox.last is None:
            raise self._loop.away()
        with self._store.step():
            s = self._outbox.add(content, data)
        self._loop.seal()
        sealed = self._outbox.sealed(s)
        agent = self._loop.agent
        return {
            "s": s,
            "waits": sealed is None,
            "waits_for": None if sealed else self._loop.waits_for,
            "generation": sealed.epoch >> 16 if sealed else None,
            "newest": self._loop.newest,
            "left_out": agent.left_out if agent else None,
        }

    def _renew(self, asked: Asked) -> dict[str, Any]:  # noqa: ARG002 (all verbs take the request)
        agent = self._loop.agent
        if not agent or not self._loop.do(agent.renew) or agent.epoch is None:
            raise self._loop.away()
        return {"generation": agent.epoch >> 16, "number": agent.epoch & 0xFFFF}

    def _role(self, asked: Asked) -> dict[str, Any]:
        name = str(asked.values.get("role"))
        if name not in ROLES:
            raise UsageError(f"there is no role {name}", f"roles are {', '.join(ROLES)}")
        if not self._loop.agent:
            raise self._loop.away()
        self._loop.set_role(ROLES[name])
        return {"role": name}

    def _status(self, asked: Asked) -> dict[str, Any]:  # noqa: ARG002
        from .status import status

        return {**status(self._loop, self._store), "checks": self.checks.state()}


def _bytes(asked: Asked, name: str) -> bytes:
    try:
        return base64.b64decode(asked.values[name], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise UsageError(f"{name} is not Base64") from None
