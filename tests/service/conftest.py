# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A service in virtual time for one test."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from ndks.laptop.bindings import BindingStore

from . import virtual
from .async_client import AsyncClient


class Served:
    """A service in virtual time, and its unit."""

    def __init__(self, unit: virtual.VirtualUnit, paths: dict[str, Path]) -> None:
        self.unit = unit
        self.paths = paths

    async def client(self, scope: str) -> AsyncClient:
        """Return a new client of a scope."""
        return await AsyncClient.connected(self.paths[scope])


Work = Callable[[Served], Awaitable[Any]]
Serve = Callable[[Work], Any]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Return a function that runs some work beside a service, and returns its result."""

    def run(work: Work) -> Any:
        async def beside() -> Any:
            store = BindingStore(tmp_path / "home", look=lambda **_: ())
            async with virtual.served(virtual.member(store), store) as (unit, paths):
                return await work(Served(unit, paths))

        return virtual.run(beside())

    return run
