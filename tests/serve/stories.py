# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Stories that happen on two sites: what tells them, and why calls in them are refused."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from ndks_gateways.keys import refusals

from .sites import Clock, Server, two_sites

NOT_FOUND, TAKEN, TOO_OLD = f"400 {refusals.NOT_FOUND}", f"400 {refusals.TAKEN}", f"400 {refusals.TOO_OLD}"
REVOKED, NOT_YOURS = f"400 {refusals.REVOKED}", f"401 {refusals.NOT_YOURS}"
UNIT_AWAY, NOT_HEARD = f"503 {refusals.UNIT_AWAY}", f"503 {refusals.NOT_HEARD}"
Story = Callable[[Server, Server, Clock], Awaitable[None]]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Story], None]:
    """A function that lets a story happen on two sites."""

    async def tell(story: Story) -> None:
        clock = Clock(monkeypatch)
        async with two_sites(tmp_path) as (a, b):
            await story(a, b, clock)

    return lambda story: asyncio.run(tell(story))


async def move(*servers: Server) -> None:
    for server in servers:
        server.unit.move()
        await server.ready()


def ids_of(keys: list[tuple[bytes, bytes]]) -> list[bytes]:
    return [key_id for key_id, _ in keys]
