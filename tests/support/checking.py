# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Checks by another channel at an agent, for commands, without the agent's socket."""

from typing import Any

from ndks.agent.running.checks import Checks
from ndks.agent.running.inputs import Asked


def asked(**values: Any) -> Asked:
    return Asked(object(), values, lambda _: None)


class Desk:
    """In place of the socket of an agent."""

    def __init__(self, checks: Checks) -> None:
        self._verbs = {
            "check": checks.value,
            "confirm": checks.confirm,
            "resolve": checks.resolve,
            "schedule": checks.schedule,
            "checks": checks.all,
        }

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def ask(self, do: str, **values: Any) -> dict[str, Any]:
        return self._verbs[do](asked(**values))
