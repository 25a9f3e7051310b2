# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Servers of keys without HTTP, on units of a model network, with a clock that tests set."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from ndks_gateways.keys.refusals import BadRequest, NotNow, Unauthorized
from ndks_gateways.serving import issuing, known
from ndks_gateways.serving.ledger import Ledger
from ndks_gateways.serving.marks import MarkFile
from ndks_gateways.serving.site import KeySite
from ndks_gateways.serving.sqlite_ledger import SqliteConnection
from ndks_gateways.serving.tables import Connection

from .worlds import ModelUnit

GROUPS = {"G": ("SAE_B", "SAE_C")}
Keys = list[tuple[bytes, bytes]]


class Clock:
    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        for module in (issuing, known):
            patch.setattr(module, "_now", lambda: self.now)


class Server:
    """A server that is started and stopped; its database and its mark stay."""

    def __init__(self, unit: ModelUnit, connect: Callable[[], Connection], mark: Path, name: str) -> None:
        self.unit = unit
        self._connect, self._mark, self._name = connect, mark, name
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self.ledger = Ledger(self._connect, MarkFile(self._mark), self._name)
        self.site = KeySite(self.unit, self.ledger, GROUPS)
        self._running = asyncio.create_task(self.site.run())

    async def ready(self) -> None:
        """Return when the server has heard of the unit's present epoch, and has read all that it keeps."""
        known, moves, epoch = self.site._known, self.site.issuer._settled, self.unit.epoch
        await until(lambda: known._is_whole and known._present == epoch and moves._moves[-1][0] == epoch)

    async def stop(self) -> None:
        if self._running:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        self._running = None

    async def issue(self, *slaves: str, size: int = 32, number: int = 1, master: str = "SAE_A") -> Keys:
        return await self.site.issuer.issue(master, slaves or ("SAE_B",), size, number)

    async def deliver(self, *ids: bytes, sae: str = "SAE_B", master: str = "SAE_A") -> Keys:
        return await self.site.deliverer.deliver(sae, master, ids)


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not is_so():
            await asyncio.sleep(0.005)


async def refusal(call: Awaitable[Keys]) -> str:
    """Return why a call was refused, with its status."""
    with pytest.raises((BadRequest, NotNow, Unauthorized)) as refused:
        await call
    return f"{refused.value.status} {refused.value}"


@contextlib.asynccontextmanager
async def two_sites(directory: Path) -> AsyncIterator[tuple[Server, Server]]:
    """Run a server of each of two sites; the ledgers have begun."""
    servers = tuple(
        Server(
            ModelUnit(lane), lambda lane=lane: SqliteConnection(directory / f"{lane}"), directory / f"mark{lane}", "s"
        )
        for lane in (1, 2)
    )
    try:
        for server in servers:
            await server.start()
            await server.ledger.begin(0)
            await server.ready()
        yield servers[0], servers[1]
    finally:
        for server in servers:
            await server.stop()
