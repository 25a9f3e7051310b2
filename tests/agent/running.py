# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Loops of agents in threads of this process, with units of tests that can be unplugged."""

import base64
import contextlib
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from carriers.inbox import PATIENCE, wait_until
from support.agents import administrator, unit_of
from support.network_unit import NetworkUnit

from ndks.agent import Limits, Store
from ndks.agent.running.client import AgentClient
from ndks.agent.running.inputs import Asked, Left
from ndks.agent.running.loop import Loop, Settings
from ndks.agent.running.office import Office
from ndks.agent.running.programs import Programs, listening
from ndks.carriers.carrier import Carrier
from ndks.carriers.folder import FolderCarrier
from ndks.driver.capsules import Sealed
from ndks.exceptions import UnitRemoved

TICK = 0.02  # seconds
_ENDLESS = 1 << 30  # pages of a store


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
        self._pages: int | None = None

    def start(self, carriers: list[Carrier] | None = None) -> None:
        """Start, with new carriers if it was stopped."""
        self._carriers = carriers or self._carriers
        self._ready.clear()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    def stop(self) -> None:
        self.loop.inputs.end()
        assert self._thread
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def fill_disk(self) -> None:
        """Let the store's file not grow any more."""
        self._pages = 1  # SQLite takes the size of the file, if that is larger

    def free_disk(self) -> None:
        self._pages = _ENDLESS

    def client(self) -> AgentClient:
        return AgentClient(self.path)

    def _set_pages(self, store: Store) -> None:
        """Set how large the store may become; it belongs to the loop's thread."""
        if self._pages is not None:
            pages, self._pages = self._pages, None
            store.read(f"PRAGMA max_page_count = {pages}")

    def _run(self) -> None:
        store = Store(self.store_path)
        store.hook = lambda _: self._set_pages(store)
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


def texts(client: AgentClient, count: int) -> list[bytes]:
    """Return the messages among so many events, each confirmed."""
    found: list[bytes] = []
    for event in client.events(follow=True):
        if event["kind"] != "lost":
            found.append(base64.b64decode(event["data"]))
        if len(found) == count:
            client.ask("taken", place=event["place"])
            break
    return found


def sealing_waits_for_a_request(agent: Running) -> None:
    """Let the unit of an agent seal nothing more until a program asks for something: not all may be sealed by then."""
    is_asked = threading.Event()
    ask, unit = agent.loop.inputs.ask, agent.plugged.unit
    seal = unit.seal

    def noted(asked: Asked | Left) -> None:
        ask(asked)
        if isinstance(asked, Asked):
            is_asked.set()

    def late(*values: Any) -> Sealed:
        assert is_asked.wait(PATIENCE)
        return seal(*values)

    agent.loop.inputs.ask = noted
    unit.seal = late


@contextlib.contextmanager
def three(tmp_path: Path) -> Iterator[list[Running]]:
    """Run three agents over a folder, in the administrator's first generation."""
    shared = tmp_path / "shared"
    shared.mkdir()
    admin = administrator()
    lanes = [admin.admit(f"{0xABC000 + number:016X}") for number in range(3)]
    bundle = admin.issue()
    (tmp_path / "admin").mkdir()
    office = FolderCarrier(f"dir:{shared}", "f" * 16, tmp_path / "admin")
    office.start(lambda received: received.taken())
    office.send(bundle.content, bundle.g)
    with contextlib.ExitStack() as stack:
        stack.callback(office.close)
        agents: list[Running] = []
        for number, lane in enumerate(lanes):
            home = tmp_path / f"agent{number}"
            home.mkdir()
            carrier = FolderCarrier(f"dir:{shared}", f"{number:x}" * 16, home)
            plugged = Plugged(unit_of(admin, lane))
            agents.append(stack.enter_context(running(plugged, admin.keys.public, [carrier], home)))
        wait_until(lambda: all(generation_of(agent) == bundle.g for agent in agents))
        yield agents


def generation_of(agent: Running) -> int | None:
    with agent.client() as client:
        return client.ask("status")["unit"].get("generation")
