# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A tunnel from its start to its end: lock, unit, links, sockets of commands and agents."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import Any

from ndks.notify import notify
from ndks.system_errors import file_errors

from . import control, metrics, places, store
from .end import End
from .gate import Gate
from .settings import Settings
from .status import State
from .tally import Tally

_log = logging.getLogger(__name__)

_LOOK = 0.5  # seconds between two looks at what is up, for the log and for systemd
_LAST_WORDS = 2.0  # seconds for the end of the links

Started = Callable[[Path], object]  # takes the path of the socket of commands


class Program:
    """One end of a tunnel, as the settings say."""

    def __init__(self, settings: Settings, timeout: float) -> None:
        self._settings = settings
        self._timeout = timeout
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()

    def run(self, started: Started) -> None:
        """Run until `end`; `started` is called when it listens, whether unit and peer are there or not.

        NdksError: the name, the file, an address, or a socket cannot be used.
        """
        with store.opened(self._settings.name, self._settings.end) as kept:
            asyncio.run(self._serve(kept, started))

    def end(self) -> None:
        """Let `run` return soon; may be called in a signal handler."""
        if self._loop:
            self._loop.call_soon_threadsafe(self._ended.set)

    async def _serve(self, kept: store.Store, started: Started) -> None:
        self._loop = asyncio.get_running_loop()
        tally = Tally()
        gate = Gate(self._settings.unit, self._settings.label, self._timeout)
        end = End(self._settings, gate, kept, tally)
        state = State(self._settings, kept, gate, end, tally)
        async with _running(gate.run()) as unit, _running(end.run()) as links:
            await _first({unit, links}, end.listening.wait())
            async with self._sockets(state) as path:
                started(path)
                notify("READY=1")
                async with _running(_tell(state)):
                    await _first({unit, links}, self._ended.wait())
                notify("STOPPING=1")

    @contextlib.asynccontextmanager
    async def _sockets(self, state: State) -> AsyncGenerator[Path]:
        """Have the sockets of commands, of agents' packets, and of metrics. FileError, UsageError, AddressError."""
        with file_errors():
            directory = places.new_sockets(self._settings.name, self._settings.end)
        loop = asyncio.get_running_loop()

        def forget() -> dict[str, Any]:
            words = state.store.peer_words
            state.store.forget()
            state.end.forget()
            return {"words": words}

        requests: dict[str, control.Request] = {"status": state.values, "forget": forget}
        carry = directory / places.CARRY
        async with (
            control.serving(directory / places.CONTROL, requests),
            control.listening(carry, lambda: loop.create_unix_server(state.end.carrier, carry), for_group=True),
        ):
            if not self._settings.metrics:
                yield directory / places.CONTROL
                return
            server = await metrics.serve(self._settings.metrics, state.values)
            try:
                yield directory / places.CONTROL
            finally:
                server.close()


async def _tell(state: State) -> None:
    """Say in the log, and to systemd, what is up or what is waited for, whenever that changes."""
    told = ""
    while True:
        await asyncio.sleep(_LOOK)
        if (line := state.line()) != told:
            told = line
            _log.info("tunnel %s %s", state.settings.name, line)
            notify(f"STATUS={line}")


@contextlib.asynccontextmanager
async def _running(work: Coroutine[Any, Any, None]) -> AsyncGenerator["asyncio.Task[None]"]:
    """Have a task during the block."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=_LAST_WORDS)


async def _first(tasks: "set[asyncio.Task[None]]", waited_for: Coroutine[Any, Any, Any]) -> None:
    """Wait for something, and raise what ends one of the tasks before that."""
    waiting = asyncio.create_task(waited_for)
    await asyncio.wait({*tasks, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in tasks:
        if task.done():
            task.result()
