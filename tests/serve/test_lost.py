# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A ledger that is lost or put back from a copy, and clocks that are set back: no key comes twice to an SAE."""

import shutil
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from support.emulate_process import wait_until

from ndks_gateways.keys import refusals
from ndks_gateways.serving.postgres_ledger import PostgresConnection
from ndks_gateways.serving.sqlite_ledger import SqliteConnection

from .agents import Administered, administered
from .databases import Database
from .key_processes import KeyProcess, closing_all, place_certificates

_LONG_AGO = 400 * 86400.0  # seconds


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Administered]:
    with administered(tmp_path_factory.mktemp("network")) as found:
        for member in found.network.members:
            wait_until(lambda member=member: found.hears_beacons(member), "a master leads")
        yield found


class Story:
    """A server of each site, another one of site A that begins later, and what site B has delivered."""

    def __init__(self, directory: Path, network: Administered, ledger: str) -> None:
        units = [member.gate for member in network.network.members]
        self.network = network
        self.a, self.b, self.fresh = (
            KeyProcess(directory, name, units["AB".index(name[0])]) for name in ("A", "B", "A-new")
        )
        self.b.write("B", ledger)
        for each in (self.a, self.fresh):
            each.write("A", f'file = "{each.name}.sqlite"')
        self.got: list[dict[str, str]] = []
        self.servers = [self.a, self.b, self.fresh]

    def begin(self) -> None:
        for server in (self.a, self.b):
            server.begin()
            server.start()
            server.wait_until_ready()

    def deliver(self, keys: list[dict[str, str]]) -> None:
        assert self.b.deliver(keys).values == {"keys": keys}
        self.got += keys

    def is_refused_until_told(self, keys: list[dict[str, str]]) -> None:
        wait_until(lambda: self.refusal(keys) == refusals.LEDGER_LOST, "unit and ledger are looked at")
        assert self.refusal(self.got[-1:]) == refusals.LEDGER_LOST
        assert self.b.metric("ndks_serve_up") == 0
        assert self.b.issue(1)  # masters get theirs

    def goes_on_when_told(self, keys: list[dict[str, str]]) -> None:
        assert self.b.begin()["error"]["code"] == "LEDGER_BEGUN"
        answers: list[dict[str, Any]] = []

        def is_told() -> bool:
            answers.append(self.b.begin("--lost"))
            assert answers[-1].get("error", {"code": "DELAYED"})["code"] == "DELAYED"  # it moved a short time ago
            return "born" in answers[-1]

        wait_until(is_told, "the ledger begins again")
        for server in (self.a, self.b):
            wait_until(lambda server=server: epoch_of(server) >= answers[-1]["born"], "the epoch is heard of")
        for each in (keys, self.got[:1], self.got[-1:]):
            wait_until(lambda each=each: self.refusal(each) == refusals.TOO_OLD, "keys of before are refused")
        self.fresh.begin()
        self.fresh.start()  # it issues in the new epoch at once
        self.fresh.wait_until_ready()
        new = self.fresh.issue(3)
        self.deliver(new)
        assert self.refusal(new) == refusals.TAKEN
        assert len({each["key"] for each in self.got}) == len(self.got)

    def refusal(self, keys: list[dict[str, str]]) -> str:
        said = self.b.deliver(keys)
        assert said.status in (400, 503), said
        return said.reason


def epoch_of(server: KeyProcess) -> int:
    return server.metric("ndks_serve_generation") << 16 | server.metric("ndks_serve_epoch_number")


class Ledger:
    """The ledger of site B, of either kind."""

    def __init__(self, path: Path | None, address: str) -> None:
        self._path = path
        self._copy = path and path.with_name("copy.sqlite")
        connect, opened = (
            (lambda: SqliteConnection(path), lambda: sqlite3.connect(path))
            if path
            else (lambda: PostgresConnection(address), lambda: psycopg.connect(address))
        )
        self._database = Database(connect, opened, "?" if path else "%s")
        self.words = f'file = "{path}"' if path else f'postgresql = "{address}"'

    def copy(self) -> None:
        """Make a copy, while no server runs."""
        self._rows = self._database.copy()
        if self._path and self._copy:
            shutil.copy(self._path, self._copy)

    def put_back(self) -> None:
        """Put the copy in its place."""
        if self._path and self._copy:
            self._remove(self._path)
            shutil.copy(self._copy, self._path)
        else:
            self._database.put_back(self._rows)

    def put_back_rows(self) -> None:
        self._database.put_back(self._rows)

    def lose(self) -> None:
        if self._path:
            self._remove(self._path)
        else:
            self._database.put_back({})

    def _remove(self, path: Path) -> None:
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    if request.param == "sqlite":
        return Ledger(tmp_path / "B.sqlite", "")
    return Ledger(None, request.getfixturevalue("cluster").new_database())


@pytest.fixture
def story(tmp_path: Path, certificates: Path, network: Administered, ledger: Ledger) -> Iterator[Story]:
    place_certificates(certificates, tmp_path)
    found = Story(tmp_path, network, ledger.words)
    with closing_all(found.servers):
        found.begin()
        yield found


def test_a_ledger_that_is_lost(story: Story, ledger: Ledger) -> None:
    keys = story.a.issue(3)
    story.deliver(keys[:2])
    story.b.end()
    ledger.lose()
    story.b.start()
    story.is_refused_until_told(keys[2:])
    story.goes_on_when_told(keys[2:])


@pytest.mark.parametrize("set_back", [0.0, _LONG_AGO])
def test_a_ledger_that_is_put_back(story: Story, ledger: Ledger, set_back: float) -> None:
    keys = story.a.issue(3)
    story.deliver(keys[:1])
    story.b.end()
    ledger.copy()
    story.b.start()
    story.b.wait_until_ready()
    story.deliver(keys[1:2])
    story.b.end()
    ledger.put_back()
    story.b.start(set_back)
    story.is_refused_until_told(keys[2:])
    story.goes_on_when_told(keys[2:])


def test_a_ledger_that_is_put_back_under_a_server(story: Story, ledger: Ledger) -> None:
    keys = story.a.issue(3)
    story.deliver(keys[:1])
    story.b.end()
    ledger.copy()
    story.b.start()
    story.b.wait_until_ready()
    story.deliver(keys[1:2])
    ledger.put_back_rows()
    story.is_refused_until_told(keys[2:])
    story.b.end(signal.SIGKILL)
    story.b.start()
    story.is_refused_until_told(keys[2:])
    story.goes_on_when_told(keys[2:])


def test_a_clock_that_is_set_back(story: Story) -> None:
    keys = story.a.issue(5)
    story.deliver(keys[:3])
    for server in (story.a, story.b):
        server.end()
        server.start(_LONG_AGO)
        server.wait_until_ready()
    assert story.refusal(keys[:1]) == refusals.TAKEN
    story.deliver(keys[3:])
    new = story.a.issue(5)
    assert not {each["key"] for each in new} & {each["key"] for each in keys}
    story.deliver(new)
