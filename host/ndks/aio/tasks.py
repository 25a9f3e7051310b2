# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Steps of the driver on behalf of tasks: each in turn, in the thread of the unit."""

import contextlib
from collections.abc import AsyncGenerator, Callable, Generator
from typing import TypeVar

from .turns import Turns
from .unit_thread import UnitThread

_R = TypeVar("_R")


class Tasks:
    """The turns of the tasks that use a unit, and its thread."""

    def __init__(self) -> None:
        self._thread = UnitThread()
        self._turns = Turns()
        self.check = self._thread.check

    async def run(self, call: Callable[[], _R]) -> _R:
        """Run a step that may be stopped."""
        async with self._turns.turn():
            return await self._thread.run(call)

    async def run_whole(self, call: Callable[[], _R]) -> _R:
        """Run a step to its end."""
        async with self._turns.turn():
            return await self._thread.run_whole(call)

    async def run_last(self, call: Callable[[], object]) -> None:
        """Run a step to its end, and end the thread after the turn that it belongs to."""
        async with self._turns.turn():
            self._turns.at_end = self._thread.end
            await self._thread.run_whole(call)

    async def each(self, blocks: Generator[bytes]) -> AsyncGenerator[bytes]:
        """Yield the blocks of a generator of the driver. Other tasks may have their turns between two of them."""
        try:
            while (block := await self.run(lambda: next(blocks, None))) is not None:
                yield block
        finally:
            await self.run_whole(blocks.close)

    @contextlib.asynccontextmanager
    async def inside(self, manager: contextlib.AbstractContextManager[_R]) -> AsyncGenerator[_R]:
        """Hold the unit during the block, inside a context manager of the driver."""
        stack = contextlib.ExitStack()
        async with self._turns.turn():
            try:
                yield await self._thread.run(lambda: stack.enter_context(manager))
                await self._thread.run(stack.close)
            except BaseException as error:
                raised = type(error), error, error.__traceback__
                await self._thread.run_whole(lambda: stack.__exit__(*raised))
                raise
