# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The mark that a server keeps beside the ledger: when it is written, and what happens when it cannot be."""

import asyncio
import json
import logging
from pathlib import Path

import pytest

from ndks.exceptions import FileError
from ndks_gateways.keys import refusals
from ndks_gateways.serving import born
from ndks_gateways.serving import ledger as ledgers
from ndks_gateways.serving.marks import MarkFile
from ndks_gateways.serving.tables import Mark

from .databases import Database
from .opened_ledgers import RUN, opened, outcome, row
from .sites import until


def test_the_mark_follows_the_last_key(database: Database, tmp_path: Path) -> None:
    """So a copy of a moment between two keys is seen, also after a crash long after both."""

    async def story() -> None:
        async with opened(database.connect, tmp_path / "mark", runs=True) as ledger:
            await born.first(ledger)
            for slot in range(3):
                await ledger.deliver([row(slot)])
            await until(lambda: MarkFile(tmp_path / "mark").read().delivered == row(2))

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
