# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A ledger that is empty, put back or of another version is seen; epochs that are gone leave it."""

import asyncio
import logging
from pathlib import Path

import pytest

from ndks_gateways.keys import refusals
from ndks_gateways.keys.runs import Run
from ndks_gateways.serving import born
from ndks_gateways.serving.marks import MarkFile
from ndks_gateways.serving.sqlite_ledger import SqliteConnection
from ndks_gateways.serving.tables import LedgerLost

from .databases import Database
from .opened_ledgers import EPOCH, RUN, opened, outcome, row
from .sites import until
from .worlds import ModelUnit


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


def test_a_ledger_of_another_version_is_not_used(database: Database, tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(database.connect, tmp_path / "mark") as ledger:
            await born.first(ledger)
            database.put_back({"ledger": [(1, 2, 0)]})
            assert await outcome(ledger.deliver([row(0)])) == refusals.LEDGER_AWAY

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
