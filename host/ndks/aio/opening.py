# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Opening of a unit in an asyncio program."""

import contextlib
from collections.abc import Callable, Generator
from typing import Any

from ..driver import unit as driver
from ..driver.finding import port_or_socket
from ..laptop.bindings import BindingStore
from ..line.transport import Transport
from ..times import DEFAULT_TIMEOUT
from .tasks import Tasks
from .unit import Unit
from .unit_thread import StoppableTransport

Through = Callable[[Transport], Transport]


class Opening:
    """A unit to be opened: `async with` opens it and closes it at the end, `await` opens it."""

    def __init__(self, open_in_thread: Callable[[Through], driver.Unit]) -> None:
        self._open_in_thread = open_in_thread
        self._opened: Unit | None = None

    def __await__(self) -> Generator[Any, Any, Unit]:
        return self._open().__await__()

    async def __aenter__(self) -> Unit:
        self._opened = await self
        return self._opened

    async def __aexit__(self, *_: object) -> None:
        if self._opened:
            await self._opened.close()

    async def _open(self) -> Unit:
        tasks, stack = Tasks(), contextlib.ExitStack()

        def through(transport: Transport) -> Transport:
            return StoppableTransport(transport, tasks.check)

        try:
            opened = await tasks.run(lambda: stack.enter_context(self._open_in_thread(through)))
        except BaseException:
            await tasks.run_last(stack.close)  # including a unit that was opened while the task was cancelled
            raise
        return Unit(opened, tasks)


def open(  # noqa: A001 (ndks.aio.open)
    unit: str | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    *,
    create: bool = False,
    bindings: BindingStore | None = None,
) -> Opening:
    """Open a unit for this process alone: `async with ndks.aio.open() as unit: ...`, or `unit = await ndks.aio.open()`.

    The arguments and the errors are those of `ndks.open`.
    """

    def open_in_thread(through: Through) -> driver.Unit:
        return driver.open_unit(port_or_socket(unit), timeout, create=create, bindings=bindings, through=through)

    return Opening(open_in_thread)
