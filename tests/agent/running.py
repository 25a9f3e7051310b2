# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Loops of agents in threads of this process, with units of tests that can be unplugged."""

import contextlib
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from support.network_unit import NetworkUnit

from ndks.agent import Limits, Store
from ndks.agent.running.client import AgentClient
from ndks.agent.running.loop import Loop, Settings
from ndks.agent.running.office import Office
from ndks.agent.running.programs import Programs, listening
from ndks.carriers.carrier import Carrier
from ndks.exceptions import UnitRemoved

TICK = 0.02  # seconds


class Plugged:
    """A unit that is there, or away."""

    def __init__(self, unit: NetworkUnit) -> None:
        self.unit = unit
        self.is_there = True

    @contextlib.contextmanager
    def opened(self) -> Generator["Plugged"]:
        self._need()
        yield self

    def __getattr__(self, name: str) -> object:
        self._need()
        return getattr(self.unit, name)

    def _need(self) -> None:
        if not self.is_there:
            raise UnitRemoved("the unit was removed")


class Running:
    """A loop, its socket and its store in a directory."""

    def __init__(self, plugged: Plugged, public: bytes, carriers: list[Carrier], directory: Path) -> None:
        self.plugged = plugged
        self.path = directory / "messages"
        self.store_path = directory / "store.sqlite"
        self._public = public
        self._carriers = carriers
        self.room = Limits.arrived_bytes
        self.office: Office | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()

    def start(self) -> None:
        self._ready.clear()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        self.loop.inputs.end()
        assert self._thread
        self._thread.join(20)
        assert not self._thread.is_alive()

    def client(self) -> AgentClient:
        return AgentClient(self.path)

    def _run(self) -> None:
        store = Store(self.store_path)
        try:
            unit: Any = self.plugged.opened
            settings = Settings(self._public, TICK, self.room)
            self.loop = Loop(store, unit, self._carriers, settings, self.office)
            with listening(self.path) as listener:
                Programs(listener, self.loop.inputs).start()
                self._ready.set()
                self.loop.run()
        finally:
            store.close()


@contextlib.contextmanager
def running(plugged: Plugged, public: bytes, carriers: list[Carrier], directory: Path) -> Iterator[Running]:
    directory.mkdir(parents=True, exist_ok=True)
    agent = Running(plugged, public, carriers, directory)
    agent.start()
    try:
        yield agent
    finally:
        agent.stop()
