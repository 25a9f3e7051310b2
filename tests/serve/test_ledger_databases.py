# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Databases of ledgers: their addresses, one that is away or restarts, and files that are no ledger."""

import asyncio
import shutil
from pathlib import Path

import pytest

from ndks_gateways.keys import refusals
from ndks_gateways.serving import born, postgres_ledger
from ndks_gateways.serving.config import ConfigError
from ndks_gateways.serving.postgres_ledger import PostgresConnection
from ndks_gateways.serving.sqlite_ledger import SqliteConnection
from ndks_gateways.serving.tables import LedgerAway

from .databases import Cluster
from .opened_ledgers import RUN, opened, outcome, row
from .sites import until


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
