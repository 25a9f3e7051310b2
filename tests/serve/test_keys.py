# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys from one site to the other, without HTTP: each once, the same at both, whatever fails."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from ndks.exceptions import device_error
from ndks_gateways.keys import refusals
from ndks_gateways.keys.refusals import NotNow
from ndks_gateways.serving import unit as units
from ndks_gateways.serving.sqlite_ledger import SqliteConnection
from ndks_gateways.serving.tables import LedgerAway
from ndks_protocol import errors

from .sites import Clock, Server, refusal
from .stories import NOT_FOUND, NOT_YOURS, TAKEN, UNIT_AWAY, Story, ids_of


def test_keys_of_all_sizes_are_the_same_at_both_sites(told: Callable[[Story], None]) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        seen: set[bytes] = set()
        for size in (8, 16, 31, 32, 33, 64, 1000, 1024):
            for number in (1, 3, 128):
                keys = await a.issue(size=size, number=number)
                assert [len(key) for _, key in keys] == [size] * number
                assert await b.deliver(*ids_of(keys)) == keys
                assert seen.isdisjoint(key for _, key in keys)
                seen |= {key for _, key in keys}
                assert await refusal(b.deliver(keys[0][0])) == TAKEN

    told(story)


def test_each_site_is_master_at_the_same_time(told: Callable[[Story], None]) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        ours, theirs = await asyncio.gather(a.issue(number=64), b.issue("SAE_A", number=64, master="SAE_B"))
        assert {key for _, key in ours}.isdisjoint(key for _, key in theirs)
        assert await a.deliver(*ids_of(theirs), sae="SAE_A", master="SAE_B") == theirs
        assert await b.deliver(*ids_of(ours)) == ours

    told(story)


def test_a_group_gets_each_key_once_for_each_member(told: Callable[[Story], None]) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        (key,) = await a.issue("SAE_C", "SAE_B")
        for sae in ("SAE_B", "SAE_C"):
            assert await b.deliver(key[0], sae=sae) == [key]
            assert await refusal(b.deliver(key[0], sae=sae)) == TAKEN
        assert await refusal(b.deliver(key[0], sae="SAE_D")) == NOT_YOURS
        assert await refusal(a.issue("SAE_B", "SAE_D")) == f"400 {refusals.GROUP}"

    told(story)


def test_ids_of_others_and_garbage_ask_no_unit_and_consume_nothing(told: Callable[[Story], None]) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        (key,) = await a.issue()
        calls = b.unit.calls
        assert await refusal(b.deliver(key[0], sae="SAE_C")) == NOT_YOURS
        assert await refusal(b.deliver(key[0], master="SAE_D")) == NOT_YOURS
        assert await refusal(b.deliver(key[0], bytes(16))) == NOT_FOUND
        assert await refusal(b.deliver(key[0], key[0])) == f"400 {refusals.TWICE}"
        assert b.unit.calls == calls
        assert await b.deliver(key[0]) == [key]

    told(story)


def test_a_unit_that_fails_consumes_nothing(told: Callable[[Story], None]) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        keys = await a.issue(number=128)
        for failures in (1, 3):
            b.unit.failures = failures
            assert await refusal(b.deliver(*ids_of(keys))) == UNIT_AWAY
            b.unit.failures = 0
        b.unit.set_away(True)
        assert b.site.problem
        assert await refusal(b.deliver(bytes(16))) == UNIT_AWAY
        b.unit.set_away(False)
        assert await b.deliver(*ids_of(keys)) == keys

    told(story)


def test_what_a_unit_refuses_is_told_once_a_minute_however_often_clients_ask(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    monkeypatch.setattr(units, "_told", {})
    monkeypatch.setattr(units.time, "monotonic", lambda: now[0])

    def fail() -> None:
        with pytest.raises(NotNow), units.unit_errors():
            raise device_error(errors.RANGE)

    for now[0] in (0.0, 1.0, 59.0, 60.0, 61.0):
        fail()
    assert [each.levelno for each in caplog.records].count(logging.WARNING) == 2


def test_a_unit_that_fails_while_keys_are_issued_gives_none_twice(told: Callable[[Story], None]) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        got = await a.issue(number=100)
        a.unit.failures = 2
        assert await refusal(a.issue(size=1024, number=16)) == UNIT_AWAY
        a.unit.set_away(True)
        assert await refusal(a.issue()) == UNIT_AWAY
        with pytest.raises(Exception, match="not at hand"):
            a.site.issuer.stored(32)
        a.unit.set_away(False)
        a.unit.failures = 0
        got += await a.issue(number=100)
        assert len({key for _, key in got}) == 200
        assert await b.deliver(*ids_of(got)) == got

    told(story)


def test_a_crash_between_commit_and_answer_loses_the_key_for_this_sae_alone(
    told: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        (key,) = await a.issue("SAE_B", "SAE_C")
        commit = b.ledger.deliver

        async def crash(rows: object) -> None:
            await commit(rows)  # pyright: ignore[reportArgumentType]
            raise LedgerAway("killed")

        monkeypatch.setattr(b.ledger, "deliver", crash)
        assert await refusal(b.deliver(key[0])) == f"503 {refusals.LEDGER_AWAY}"
        await b.stop()
        await b.start()
        await b.ready()
        assert await refusal(b.deliver(key[0])) == TAKEN
        assert await b.deliver(key[0], sae="SAE_C") == [key]

    told(story)


def test_issuing_needs_no_ledger(told: Callable[[Story], None], tmp_path: Path) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        lonely = Server(a.unit, lambda: SqliteConnection(tmp_path / "nowhere" / "x"), tmp_path / "lonely", "lonely")
        await lonely.start()
        (key,) = await lonely.issue()
        assert await b.deliver(key[0]) == [key]
        assert await refusal(lonely.deliver(key[0])) == f"503 {refusals.LEDGER_AWAY}"
        await lonely.stop()

    told(story)


def test_a_chunk_is_read_once_for_all_of_its_keys(told: Callable[[Story], None]) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        keys = await a.issue(number=64)
        calls = b.unit.calls
        await asyncio.gather(*(b.deliver(key_id) for key_id, _ in keys))
        assert b.unit.calls - calls <= 3  # 2 KB, which need not begin with a chunk

    told(story)


def test_what_was_kept_in_memory_is_bounded_and_wiped(told: Callable[[Story], None]) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        for _ in range(3):
            keys = await a.issue(size=1024, number=128)
            assert await b.deliver(*ids_of(keys)) == keys
        kept = b.site.deliverer._chunks._kept
        assert len(kept) == 256
        chunks = list(kept.values())
        await b.stop()
        assert not kept
        assert all(not any(chunk) for chunk in chunks)

    told(story)


def test_twelve_clients_at_once(told: Callable[[Story], None]) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        async def client() -> list[bytes]:
            got: list[bytes] = []
            for _ in range(20):
                keys = await a.issue(number=5)
                assert await b.deliver(*ids_of(keys)) == keys
                got += [key for _, key in keys]
            return got

        got = await asyncio.gather(*(client() for _ in range(12)))
        assert len({key for keys in got for key in keys}) == 1200

    told(story)
