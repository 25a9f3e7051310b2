# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks serve` from start to end, and what an administrator does with its ledger."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from functools import partial
from typing import Any, Protocol

from ndks.notify import notify

from . import born, open_files
from .config import Config
from .key_server import KeyServer
from .ledger import Ledger
from .marks import MarkFile
from .site import KeySite
from .tables import Connection
from .unit import ServingUnit

_UNIT_SECONDS = 10.0  # that a command waits for the unit

Started = Callable[[KeyServer], None]


class RunningUnit(ServingUnit, Protocol):
    """A unit that has to be kept at hand."""

    async def run(self) -> None:
        """Keep it at hand until this is cancelled."""
        ...


async def serve(config: Config, unit: RunningUnit, started: Started) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP reads certificates again. UsageError, FileError: it cannot start."""
    open_files.allow(config.limits.connections)
    groups = {name: frozenset(members) for name, members in config.groups.items()}
    ledger = ledger_of(config)
    site = KeySite(unit, ledger, groups)
    server = KeyServer(
        config,
        site.issuer,
        site.deliverer,
        lambda: site.problem,
        lambda: unit.presence.epoch if unit.presence else None,
    )
    await server.open()
    async with _running(unit.run(), site.run()) as tasks:
        try:
            ledger.keep_mark()  # now that the address is taken: no other process of this server writes it
            with _signals(server) as ended:
                started(server)
                notify("READY=1")
                done, _ = await asyncio.wait({ended, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()  # what should not end raises what ended it
        finally:
            notify("STOPPING=1")
            await server.close()


async def begin_ledger(config: Config) -> None:
    """Begin the ledger of a site that has delivered no key yet. LedgerBegun, LedgerAway."""
    async with _closing(ledger_of(config)) as ledger:
        await born.first(ledger)


async def begin_ledger_again(config: Config, unit: RunningUnit) -> int:
    """Begin the ledger again after it was lost or put back, in a new epoch, which is returned. See born.lost."""
    async with _closing(ledger_of(config)) as ledger, _running(unit.run()):
        with contextlib.suppress(TimeoutError):  # then `lost` says what is missing
            async with asyncio.timeout(_UNIT_SECONDS):
                while not unit.presence:
                    await unit.wait_change(unit.changes)
        return await born.lost(ledger, MarkFile(config.ledger.last_run), unit)


def ledger_of(config: Config) -> Ledger:
    """Return the ledger of a site, as this server uses it. FileError: the mark outside of it; ConfigError."""
    place = config.ledger
    return Ledger(_connect(config), MarkFile(place.last_run), place.server or socket.gethostname())


@contextlib.asynccontextmanager
async def _closing(ledger: Ledger) -> AsyncGenerator[Ledger]:
    try:
        yield ledger
    finally:
        await ledger.close()


def _connect(config: Config) -> Callable[[], Connection]:
    if config.ledger.file:
        from .sqlite_ledger import SqliteConnection

        return partial(SqliteConnection, config.ledger.file)
    from .postgres_ledger import PostgresConnection, check_address  # here, because psycopg is needed for it only

    address = config.ledger.postgresql or ""
    check_address(address)
    return partial(PostgresConnection, address)


@contextlib.asynccontextmanager
async def _running(*loops: Coroutine[Any, Any, None]) -> AsyncGenerator[list["asyncio.Task[None]"]]:
    """Run loops beside the block, and end them with it."""
    tasks = [asyncio.create_task(each) for each in loops]
    try:
        yield tasks
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.contextmanager
def _signals(server: KeyServer) -> Generator["asyncio.Task[bool]"]:
    """Yield a task that ends with SIGTERM and SIGINT; let SIGHUP read certificates again."""
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        reloads.add(task := loop.create_task(server.reload()))
        task.add_done_callback(reloads.discard)

    handlers = {signal.SIGTERM: end.set, signal.SIGINT: end.set, signal.SIGHUP: reload}
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    ended = loop.create_task(end.wait())
    try:
        yield ended
    finally:
        ended.cancel()
        for number in handlers:
            loop.remove_signal_handler(number)
