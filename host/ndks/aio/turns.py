# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The turns of the tasks that use a unit."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextvars import ContextVar

_NOBODYS = object()
_mine: ContextVar[frozenset[object]] = ContextVar("mine", default=frozenset())  # turns of this task and its parents


class Turns:
    """Gives a unit to one task at a time, in the order in which they ask. `at_end` is called after each turn."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._turn = _NOBODYS
        self.at_end: Callable[[], object] = lambda: None

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """Hold the unit during the block. A block inside it, even of a task made there, is part of the same turn."""
        if self._turn in _mine.get():
            yield
            return
        async with self._lock:
            self._turn = turn = object()
            _mine.set(_mine.get() | {turn})
            try:
                yield
            finally:
                _mine.set(_mine.get() - {turn})
                self._turn = _NOBODYS
                self.at_end()
