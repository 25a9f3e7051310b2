# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Coroutines that use a unit by `ndks.aio`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import ndks
import ndks.aio

BITS = 300
LETTER = b"meet me at the old bridge"

Use = Callable[[ndks.aio.Unit], Awaitable[Any]]


def with_unit(port: str, use: Use, **options: Any) -> Any:
    """Run a coroutine with an open unit."""

    async def opened() -> Any:
        async with ndks.aio.open(port, **options) as unit:
            return await use(unit)

    return asyncio.run(opened())
