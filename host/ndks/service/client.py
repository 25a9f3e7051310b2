# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A client of the service, and one of its requests."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from ndks_protocol.commands import Command

from .kept import Messages
from .scopes import Scope


class Client:
    """A program at the socket of a scope. `name` is for the log."""

    def __init__(self, scope: Scope, name: str) -> None:
        self.scope = scope
        self.name = name
        self.messages = Messages(asyncio.get_running_loop())
        self.watches = 0  # how many times it has sent WATCH


@dataclass(frozen=True)
class Request:
    """A request that its client may send; `values` are the fields of its payload."""

    client: Client
    command: Command
    payload: bytes = field(repr=False)
    values: tuple[Any, ...] = field(repr=False)


Handler = Callable[[Request], Awaitable[bytes]]  # returns the payload of the answer; UnitError
