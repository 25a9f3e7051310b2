# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The ledger on SQLite and on a real PostgreSQL: each key once for each SAE, whatever becomes of the database."""

import asyncio
import contextlib
import json
import logging
import random
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from pathlib import Path

import pytest

from ndks.exceptions import FileError
from ndks_gateways.keys import refusals
from ndks_gateways.keys.refusals import BadRequest, NotNow
from ndks_gateways.keys.runs import Run
from ndks_gateways.serving import born, postgres_ledger
from ndks_gateways.serving import ledger as ledgers
from ndks_gateways.serving.config import ConfigError
from ndks_gateways.serving.ledger import Ledger
from ndks_gateways.serving.marks import MarkFile
from ndks_gateways.serving.postgres_ledger import PostgresConnection
from ndks_gateways.serving.sqlite_ledger import SqliteConnection
from ndks_gateways.serving.tables import Connection, Delivered, LedgerAway, LedgerLost, Mark, Tables

from .databases import Cluster, Database
from .worlds import ModelUnit

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


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not is_so():
            await asyncio.sleep(0.01)


async def outcome(call: Awaitable[object]) -> str | None:
    """Return None if the call succeeds, or why it was refused."""
    try:
        await call
    except (BadRequest, NotNow) as refusal:
        return str(refusal)
    return None


def test_the_mark_follows_the_last_key(database: Database, tmp_path: Path) -> None:
    """So a copy of a moment between two keys is seen, also after a crash long after both."""

    async def story() -> None:
        async with opened(database.connect, tmp_path / "mark", runs=True) as ledger:
            await born.first(ledger)
            for slot in range(3):
                await ledger.deliver([row(slot)])
            await until(lambda: MarkFile(tmp_path / "mark").read().delivered == row(2))

    asyncio.run(story())


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


def test_an_empty_ledger_delivers_nothing_until_told(database: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(database.connect, tmp_path / "mark") as ledger:
            with pytest.raises(LedgerLost) as lost:
                await ledger.deliver([row(0)])
            assert "--first" in lost.value.advice
            await born.first(ledger)
            await ledger.deliver([row(0)])
            with pytest.raises(born.LedgerBegun):
                await born.first(ledger)

    asyncio.run(story())


@pytest.mark.parametrize("what", ["emptied", "put back"])
def test_a_ledger_of_before_is_seen_by_servers_that_run_and_by_those_that_start(
    what: str, database: Database, tmp_path: Path
) -> None:
    async def story() -> None:
        async with opened(database.connect, tmp_path / "mark", runs=True) as ledger:
            await born.first(ledger)
            ledger.note(RUN)
            await until(lambda: ledger.mark.run == RUN)
            before = {} if what == "emptied" else database.copy()
            await ledger.deliver([row(0)])
            database.put_back(before)
            assert await outcome(ledger.deliver([row(1)])) == refusals.LEDGER_LOST
            assert await outcome(ledger.deliver([row(0)])) == refusals.LEDGER_LOST
            await until(lambda: isinstance(ledger.problem, LedgerLost))
        async with opened(database.connect, tmp_path / "mark", runs=True) as ledger:
            assert await outcome(ledger.deliver([row(0)])) == refusals.LEDGER_LOST
            ledger.note(RUN._replace(run=2))  # which does not make it forget
            assert await outcome(ledger.deliver([row(0)])) == refusals.LEDGER_LOST
            with pytest.raises(born.LedgerBegun):
                await born.first(ledger)

            unit = ModelUnit(7)
            epoch = await born.lost(ledger, MarkFile(tmp_path / "mark"), unit)
            assert epoch == unit.epoch > EPOCH
            assert await outcome(ledger.deliver([row(0)])) == refusals.TOO_OLD
            await ledger.deliver([row(0, epoch=epoch)])
            await until(lambda: ledger.problem is None)
            assert await outcome(ledger.deliver([row(0, epoch=epoch)])) == refusals.TAKEN

    asyncio.run(story())


def test_a_ledger_of_before_the_last_run_is_seen(database: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(database.connect, tmp_path / "mark", runs=True) as ledger:
            await born.first(ledger)
            before = database.copy()
            ledger.note(RUN)
            await until(lambda: ledger.mark.run == RUN)
        database.put_back(before)
        async with opened(database.connect, tmp_path / "mark") as ledger:
            assert await outcome(ledger.deliver([row(0)])) == refusals.LEDGER_LOST
        async with opened(database.connect, tmp_path / "other", "two") as ledger:  # it has no memory of its own
            await ledger.deliver([row(0)])

    asyncio.run(story())


def test_a_server_that_has_seen_a_ledger_of_before_and_is_killed_sees_it_again(
    database: Database, tmp_path: Path
) -> None:
    """It took no run since the copy, so only its last delivery shows that; the mark was written before that one."""

    async def story() -> None:
        async with opened(database.connect, tmp_path / "mark") as ledger:
            await born.first(ledger)
            await ledger.deliver([row(0)])
        before = database.copy()
        async with opened(database.connect, tmp_path / "mark") as ledger:
            await ledger.deliver([row(1)])
            database.put_back(before)
            assert await outcome(ledger.deliver([row(2)])) == refusals.LEDGER_LOST
            as_when_killed = (tmp_path / "mark").read_bytes()
        (tmp_path / "mark").write_bytes(as_when_killed)
        async with opened(database.connect, tmp_path / "mark") as ledger:
            assert await outcome(ledger.deliver([row(1)])) == refusals.LEDGER_LOST

    asyncio.run(story())


def test_a_ledger_is_not_begun_again_by_a_unit_that_may_be_behind(database: Database, tmp_path: Path) -> None:
    async def story() -> None:
        unit = ModelUnit(7)
        async with opened(database.connect, tmp_path / "mark") as ledger:
            for age in (None, 33.0):
                unit.beacon_age = age
                with pytest.raises(born.Silent):
                    await born.lost(ledger, MarkFile(tmp_path / "mark"), unit)
            assert not await ledger.is_begun()
            assert unit.epoch == EPOCH

    asyncio.run(story())


def test_no_epoch_begins_for_a_ledger_that_is_not_at_hand(tmp_path: Path) -> None:
    async def story() -> None:
        unit = ModelUnit(7)
        async with opened(lambda: SqliteConnection(tmp_path / "missing" / "ledger"), tmp_path / "mark") as ledger:
            assert await outcome(born.lost(ledger, MarkFile(tmp_path / "mark"), unit)) == refusals.LEDGER_AWAY
        assert unit.epoch == EPOCH

    asyncio.run(story())


def test_rows_of_epochs_that_are_gone_are_deleted_a_step_later(database: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(database.connect, tmp_path / "mark", runs=True) as ledger:
            await born.first(ledger)
            ledger.note(RUN)
            await until(lambda: ledger.mark.run == RUN)
            await ledger.deliver([row(slot, run=run) for slot in range(3) for run in range(3)])
            await ledger.deliver([row(0, epoch=EPOCH + 5)])
            await ledger.prune(EPOCH + 5)
            assert len(database.copy()["delivered"]) == 10
            assert await outcome(ledger.deliver([row(0)])) == refusals.TOO_OLD
            await ledger.prune(EPOCH + 2)  # never back
            assert [tuple(each[:2]) for each in database.copy()["delivered"]] == [(EPOCH + 5, 7)]
            assert database.copy()["run"] == []
            assert await outcome(ledger.deliver([row(0)])) == refusals.TOO_OLD
            assert await outcome(ledger.deliver([row(0, epoch=EPOCH + 5)])) == refusals.TAKEN
        async with opened(database.connect, tmp_path / "mark") as ledger:
            await ledger.deliver([row(1, epoch=EPOCH + 5)])

    asyncio.run(story())


def test_which_epochs_the_servers_issued_in(database: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(database.connect, tmp_path / "mark", runs=True) as ledger:
            await born.first(ledger)
            async with opened(database.connect, tmp_path / "other", "two", runs=True) as other:
                for each, run in ((ledger, RUN), (other, Run(EPOCH, 8, 1)), (other, Run(EPOCH + 1, 8, 2))):
                    each.note(run)
                    await until(lambda each=each, run=run: each.mark.run == run)
            assert await ledger.seen() == {EPOCH: True, EPOCH + 1: False}

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


@pytest.mark.parametrize(
    "address",
    [
        "postgresql//user:hunter2@db/keys",
        "hunter2",
        "host=db password=hun ter2",
        "postgresql://user:hun%zzter2@db/keys",
        "postgresql://user:hun@ter2@db/keys",
        "postgresql://user:hun/ter2@db/keys",
        "postgresql://user:12/ter2@db/keys",
    ],
)
def test_an_address_that_would_bring_a_password_into_a_log_is_refused(address: str) -> None:
    with pytest.raises(ConfigError) as refused:
        postgres_ledger.check_address(address)
    assert "ter2" not in f"{refused.value} {refused.value.advice}"
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    "address",
    [
        "dbname=keys",
        "service=keys",
        "host=a,b port=5432,5433 dbname=keys password='hun ter2'",
        "postgresql://user:hun%40ter2@db:5432/keys",
        "postgresql:///keys?host=/run/postgresql",
    ],
)
def test_addresses_of_databases(address: str) -> None:
    postgres_ledger.check_address(address)


def test_a_database_that_is_away_refuses_and_comes_back(cluster: Cluster, tmp_path: Path) -> None:
    address = cluster.new_database()

    async def story() -> None:
        async with opened(lambda: PostgresConnection(address), tmp_path / "mark", runs=True) as ledger:
            await born.first(ledger)
            await ledger.deliver([row(0)])
            for kill in (False, True):
                cluster.stop(kill=kill)
                try:
                    assert await outcome(ledger.deliver([row(1)])) == refusals.LEDGER_AWAY
                    run = RUN._replace(run=5 + kill)
                    ledger.note(run)
                    await until(lambda: isinstance(ledger.problem, LedgerAway))
                finally:
                    cluster.start()
                await until(lambda run=run: ledger.mark.run == run and ledger.problem is None)
                assert await outcome(ledger.deliver([row(0)])) == refusals.TAKEN
            await ledger.deliver([row(1)])

    asyncio.run(story())


def test_a_restart_of_the_database_between_two_requests_is_not_noticed(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_ledger, "_IDLE_SECONDS", 0.0)  # of a connection that was used a moment ago
    address = cluster.new_database()

    async def story() -> None:
        async with opened(lambda: PostgresConnection(address), tmp_path / "mark") as ledger:
            await born.first(ledger)
            await ledger.deliver([row(0)])
            cluster.stop(kill=True)
            cluster.start()
            await ledger.deliver([row(1)])

    asyncio.run(story())


def test_a_copy_in_the_place_of_the_file_is_seen(tmp_path: Path) -> None:
    path, copy = tmp_path / "ledger.sqlite", tmp_path / "copy"

    async def story() -> None:
        async with opened(lambda: SqliteConnection(path), tmp_path / "mark") as ledger:
            await born.first(ledger)
            await ledger.deliver([row(0)])
        shutil.copy(path, copy)
        async with opened(lambda: SqliteConnection(path), tmp_path / "mark") as ledger:
            await ledger.deliver([row(1)])
            for each in (path, *tmp_path.glob("ledger.sqlite-*")):
                each.unlink()
            copy.rename(path)
            assert await outcome(ledger.deliver([row(2)])) == refusals.LEDGER_LOST

    asyncio.run(story())


def test_a_file_of_another_kind_or_that_others_may_read_is_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    public, other = tmp_path / "public", tmp_path / "other"
    public.touch(0o644)
    other.write_bytes(b"no database" * 100)
    other.chmod(0o600)

    async def story() -> None:
        for path in (public, other, tmp_path / "nowhere" / "ledger"):
            async with opened(lambda path=path: SqliteConnection(path), tmp_path / "mark") as ledger:
                assert await outcome(ledger.deliver([row(0)])) == refusals.LEDGER_AWAY

    asyncio.run(story())
    assert str(public) in caplog.text


def test_a_ledger_of_another_version_is_not_used(database: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(database.connect, tmp_path / "mark") as ledger:
            await born.first(ledger)
            database.put_back({"ledger": [(1, 2, 0)]})
            assert await outcome(ledger.deliver([row(0)])) == refusals.LEDGER_AWAY

    asyncio.run(story())


def test_the_mark(tmp_path: Path) -> None:
    path = tmp_path / "mark"
    file = MarkFile(path)
    assert file.read() == Mark()
    for mark in (Mark(RUN), Mark(RUN, row(3, "é")), Mark(None, row(3))):
        file.write(mark)
        assert file.read() == mark
        assert path.stat().st_mode & 0o777 == 0o600
    for text in ("", "{}", "[]", '{"ndks_ledger_mark": 2, "run": null, "delivered": null}'):
        path.write_text(text)
        with pytest.raises(FileError, match="damaged"):
            file.read()
    path.write_text(json.dumps({"ndks_ledger_mark": 1, "run": [1, 2], "delivered": None}))
    with pytest.raises(FileError, match="damaged"):
        file.read()
    file.remove()
    file.remove()
    assert file.read() == Mark()


def test_a_mark_is_written_with_a_delivery_when_the_last_one_is_a_second_old(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(ledgers.time, "monotonic", lambda: now[0])

    async def story() -> None:
        async with opened(database.connect, tmp_path / "mark") as ledger:
            await born.first(ledger)
            await ledger.deliver([row(0)])
            assert not (tmp_path / "mark").exists()
            now[0] += 1.0
            await ledger.deliver([row(1)])
            assert MarkFile(tmp_path / "mark").read().delivered == row(1)
            await ledger.deliver([row(2)])
            assert MarkFile(tmp_path / "mark").read().delivered == row(1)
        assert MarkFile(tmp_path / "mark").read().delivered == row(2)

    asyncio.run(story())


def test_a_mark_that_cannot_be_written_is_told_once_and_nothing_is_delivered_until_it_can(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgers, "_MARK_SECONDS", 0.0)
    place = tmp_path / "disk"

    async def story() -> None:
        async with opened(database.connect, place / "mark", runs=True) as ledger:
            await born.first(ledger)
            ledger.note(RUN)
            await until(lambda: ledger.mark.run == RUN)
            await until(lambda: ledger.problem is not None)
            for _ in range(3):
                assert await outcome(ledger.deliver([row(0)])) == refusals.NO_MARK
                assert ledger.problem
                assert str(ledger.problem) == refusals.NO_MARK
            place.mkdir()
            await ledger.deliver([row(0)])
            assert MarkFile(place / "mark").read() == Mark(RUN, row(0))
            await until(lambda: ledger.problem is None)

    asyncio.run(story())
    assert [each.levelno for each in caplog.records].count(logging.ERROR) == 1


def test_a_mark_that_could_not_be_written_again_is_tried_without_a_delivery(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was new, as all was refused; a load balancer that looks at /healthz sends no request that would try."""
    monkeypatch.setattr(ledgers, "_MARK_SECONDS", 0.0)
    monkeypatch.setattr(ledgers, "_PAUSE", 0.01)
    place, away = tmp_path / "disk", tmp_path / "away"
    place.mkdir()

    async def story() -> None:
        async with opened(database.connect, place / "mark", runs=True) as ledger:
            await born.first(ledger)
            await ledger.deliver([row(0)])
            place.rename(away)
            assert await outcome(ledger.deliver([row(0)])) == refusals.TAKEN
            await until(lambda: ledger.problem is not None)
            away.rename(place)
            await until(lambda: ledger.problem is None)

    asyncio.run(story())


def test_a_ledger_that_was_not_begun_is_named_once_in_the_log(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with opened(database.connect, tmp_path / "mark", runs=True) as ledger:
            await until(lambda: isinstance(ledger.problem, LedgerLost))
            assert await outcome(ledger.deliver([row(0)])) == refusals.LEDGER_LOST

    asyncio.run(story())
    (told,) = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert told.startswith("LEDGER_LOST: ")
    assert "ndks serve ledger --first" in told


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
