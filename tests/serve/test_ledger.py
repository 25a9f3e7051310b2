# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The ledger on SQLite and on a real PostgreSQL: each key once for each SAE, and a batch wholly or not."""

import asyncio
import contextlib
import random
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from ndks_gateways.keys import refusals
from ndks_gateways.serving import born
from ndks_gateways.serving.ledger import Ledger
from ndks_gateways.serving.marks import MarkFile
from ndks_gateways.serving.tables import Connection, LedgerAway, Tables

from .databases import Database
from .opened_ledgers import EPOCH, opened, outcome, row


def test_a_key_comes_once_for_each_sae(database: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(database.connect, tmp_path / "mark") as ledger:
            await born.first(ledger)
            await ledger.deliver([row(0), row(1)])
            await ledger.deliver([row(0, "SAE_C")])
            assert await outcome(ledger.deliver([row(0)])) == refusals.TAKEN
            await ledger.deliver([row(0, run=2)])
            await ledger.deliver([row(0, epoch=EPOCH + 1)])
            await ledger.deliver([row(0, "sae_b"), row(0, "SAE_B "), row(0, "é雪")])
        async with opened(database.connect, tmp_path / "mark") as ledger:
            assert await outcome(ledger.deliver([row(1)])) == refusals.TAKEN

    asyncio.run(story())


def test_a_batch_is_taken_wholly_or_not(database: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(database.connect, tmp_path / "mark") as ledger:
            await born.first(ledger)
            await ledger.deliver([row(5)])
            assert await outcome(ledger.deliver([row(4), row(5), row(6)])) == refusals.TAKEN
            await ledger.deliver([row(6), row(4)])
            most = [row(slot) for slot in range(100, 100 + 4096)]
            await ledger.deliver(most)
            assert await outcome(ledger.deliver(most)) == refusals.TAKEN

    asyncio.run(story())


def test_of_batches_that_overlap_and_wait_together_the_later_gets_what_the_first_did_not(
    database: Database, tmp_path: Path
) -> None:
    async def story() -> None:
        async with opened(database.connect, tmp_path / "mark") as ledger:
            await born.first(ledger)
            await ledger.deliver([row(1)])
            waiting = [ledger.deliver(rows) for rows in ([row(1), row(2)], [row(2), row(3)], [row(3)])]
            assert await asyncio.gather(*map(outcome, waiting)) == [refusals.TAKEN, None, refusals.TAKEN]

    asyncio.run(story())


def test_twelve_clients_of_three_servers_get_no_key_twice_and_each_once(database: Database, tmp_path: Path) -> None:
    """Each client asks for batches that overlap with those of all others, until all keys are gone."""
    slots = 600

    async def client(ledger: Ledger, number: int, got: list[int]) -> None:
        rng = random.Random(number)
        order = list(range(slots))
        rng.shuffle(order)
        for start in range(0, slots, 8):
            batch = order[start : start + 8]
            if await outcome(ledger.deliver([row(slot) for slot in batch])) is None:
                got += batch
        for slot in order:
            if await outcome(ledger.deliver([row(slot)])) is None:
                got.append(slot)

    async def story() -> None:
        async with contextlib.AsyncExitStack() as stack:
            servers = [
                await stack.enter_async_context(opened(database.connect, tmp_path / f"mark{n}", f"s{n}"))
                for n in range(3)
            ]
            await born.first(servers[0])
            got: list[int] = []
            await asyncio.gather(*(client(servers[number % 3], number, got) for number in range(12)))
            assert sorted(got) == list(range(slots))

    asyncio.run(story())


class Failing:
    """A connection that does what another does, and whose next commit is made, but not told."""

    def __init__(self, base: Connection) -> None:
        self._base = base
        self.collate = base.collate
        self.is_armed = False

    @contextlib.contextmanager
    def step(self) -> Generator[None]:
        with self._base.step():
            yield
        if self.is_armed:
            raise LedgerAway("cut off")

    def __getattr__(self, name: str) -> object:
        return getattr(self._base, name)


def test_a_commit_whose_answer_is_lost_loses_the_key_and_never_gives_it_twice(
    database: Database, tmp_path: Path
) -> None:
    connections: list[Failing] = []

    def connect() -> Failing:
        connections.append(Failing(database.connect()))
        return connections[-1]

    async def story() -> None:
        async with opened(connect, tmp_path / "mark") as ledger:
            await born.first(ledger)
            connections[-1].is_armed = True
            assert await outcome(ledger.deliver([row(0)])) == refusals.LEDGER_AWAY
            assert await outcome(ledger.deliver([row(0)])) == refusals.TAKEN
            await ledger.deliver([row(1)])
        assert len(connections) == 2

    asyncio.run(story())


def test_a_bug_in_a_commit_delivers_nothing_and_the_next_one_goes_on(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    async def story() -> None:
        async with opened(database.connect, tmp_path / "mark") as ledger:
            await born.first(ledger)
            with monkeypatch.context() as patch:
                patch.setattr(Tables, "deliver", broken)
                assert await outcome(ledger.deliver([row(0)])) == refusals.LEDGER_AWAY
            assert "ZeroDivisionError" in caplog.text
            assert await outcome(ledger.deliver([row(0)])) is None

    asyncio.run(story())


def test_at_the_end_what_was_begun_is_done_and_what_waits_is_refused(database: Database, tmp_path: Path) -> None:
    async def story() -> list[str | None]:
        ledger = Ledger(database.connect, MarkFile(tmp_path / "mark"), "one")
        await born.first(ledger)
        gate = threading.Event()
        ledger._thread.submit(gate.wait)
        asked = [asyncio.create_task(outcome(ledger.deliver([row(slot)]))) for slot in range(3)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(ledger.close())
        await asyncio.sleep(0)
        gate.set()
        await closing
        return await asyncio.gather(*asked)

    assert asyncio.run(story()) == [None, refusals.LEDGER_AWAY, refusals.LEDGER_AWAY]
    assert MarkFile(tmp_path / "mark").read().delivered == row(0)
