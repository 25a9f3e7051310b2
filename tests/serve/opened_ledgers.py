# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A ledger, open as a server has it; rows to deliver, and what becomes of a delivery."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from ndks_gateways.keys.refusals import BadRequest, NotNow
from ndks_gateways.keys.runs import Run
from ndks_gateways.serving.ledger import Ledger
from ndks_gateways.serving.marks import MarkFile
from ndks_gateways.serving.tables import Connection, Delivered

EPOCH = 1 << 16
RUN = Run(EPOCH, 7, 1)


def row(slot: int, sae: str = "SAE_B", epoch: int = EPOCH, run: int = 1) -> Delivered:
    return Delivered(epoch, 7, run, slot, sae)


@contextlib.asynccontextmanager
async def opened(
    connect: Callable[[], Connection], mark: Path, server: str = "one", *, runs: bool = False
) -> AsyncIterator[Ledger]:
    ledger = Ledger(connect, MarkFile(mark), server)
    running = asyncio.create_task(ledger.run()) if runs else None
    try:
        yield ledger
    finally:
        if running:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        await ledger.close()


async def outcome(call: Awaitable[object]) -> str | None:
    """Return None if the call succeeds, or why it was refused."""
    try:
        await call
    except (BadRequest, NotNow) as refusal:
        return str(refusal)
    return None
