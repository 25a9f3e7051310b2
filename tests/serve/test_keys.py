# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys from one site to the other, without HTTP: on units that come and go, move, and revoke members."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from ndks.exceptions import device_error
from ndks_gateways.keys import refusals
from ndks_gateways.keys.refusals import NotNow
from ndks_gateways.keys.runs import SLOTS
from ndks_gateways.serving import unit as units
from ndks_gateways.serving.sqlite_ledger import SqliteConnection
from ndks_gateways.serving.tables import LedgerAway
from ndks_protocol import errors

from .sites import Clock, Server, refusal, two_sites, until

NOT_FOUND, TAKEN, TOO_OLD = f"400 {refusals.NOT_FOUND}", f"400 {refusals.TAKEN}", f"400 {refusals.TOO_OLD}"
REVOKED, NOT_YOURS = f"400 {refusals.REVOKED}", f"401 {refusals.NOT_YOURS}"
UNIT_AWAY, NOT_HEARD = f"503 {refusals.UNIT_AWAY}", f"503 {refusals.NOT_HEARD}"
Story = Callable[[Server, Server, Clock], Awaitable[None]]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Story], None]:
    """A function that lets a story happen on two sites."""

    async def tell(story: Story) -> None:
        clock = Clock(monkeypatch)
        async with two_sites(tmp_path) as (a, b):
            await story(a, b, clock)

    return lambda story: asyncio.run(tell(story))


async def move(*servers: Server) -> None:
    for server in servers:
        server.unit.move()
        await server.ready()


def ids_of(keys: list[tuple[bytes, bytes]]) -> list[bytes]:
    return [key_id for key_id, _ in keys]


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


def test_servers_of_one_unit_and_restarts_never_issue_a_key_twice(
    told: Callable[[Story], None], tmp_path: Path
) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        other = Server(a.unit, lambda: SqliteConnection(tmp_path / "1"), tmp_path / "other", "other")
        got: list[tuple[bytes, bytes]] = []
        for _ in range(5):
            await other.start()
            for keys in await asyncio.gather(*(server.issue(number=50) for server in (a, other, a, other))):
                got += keys
            await other.stop()
        assert len({key for _, key in got}) == len(dict(got)) == 1000
        for start in range(0, 1000, 100):
            assert await b.deliver(*ids_of(got[start : start + 100])) == got[start : start + 100]

    told(story)


def run_of(server: Server) -> tuple[int, int, int]:
    own = server.site.issuer._own
    assert own
    return own.run


def test_a_run_ends_after_an_hour_and_with_its_slots(told: Callable[[Story], None]) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        first = await a.issue()
        run = run_of(a)
        clock.now = 3599.0
        await a.issue()
        assert run_of(a) == run
        clock.now = 3600.0
        second = await a.issue()
        assert run_of(a) != run
        run = run_of(a)
        own = a.site.issuer._own
        assert own
        assert a.site.issuer.stored(32) == 100_000
        await asyncio.gather(*([own._reading] if own._reading else []))
        own.next, own._read_to = SLOTS - 2, (SLOTS - 2) * 32 // 1024  # as after many keys
        last_chunk = await a.unit.chunk(run[0], own._n, own._read_to * 1024, 1024)
        own._ready[:] = last_chunk[-64:]
        own._read_to += 1
        assert a.site.issuer.stored(32) == 2
        assert a.site.issuer.stored(33) == 1
        third = await a.issue(number=2)
        assert run_of(a) == run
        fourth = await a.issue(size=33)
        assert run_of(a) != run
        for keys in (first, second, third, fourth):
            assert await b.deliver(*ids_of(keys)) == keys

    told(story)


def test_after_a_move_keys_are_issued_in_the_epoch_before_until_all_have_heard(told: Callable[[Story], None]) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        before = a.unit.epoch
        await a.issue()
        await move(a)
        clock.now = 31.0
        (key,) = await a.issue()
        assert run_of(a)[0] == before
        assert await b.deliver(key[0]) == [key]  # it has not heard of the move
        await move(b)
        clock.now = 32.0
        keys = await a.issue(number=2)
        assert run_of(a)[0] == a.unit.epoch == before + 1
        assert await b.deliver(*ids_of(keys)) == keys

    told(story)


def test_a_server_that_starts_right_after_a_move_issues_in_the_epoch_of_its_last_run(
    told: Callable[[Story], None],
) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        await a.issue()
        before = a.unit.epoch
        await until(lambda: a.ledger.mark.run)
        await a.stop()
        a.unit.move()
        await a.start()
        (key,) = await a.issue()
        assert run_of(a)[0] == before
        assert await b.deliver(key[0]) == [key]
        await until(lambda: a.ledger.mark.run == run_of(a))
        await a.stop()
        a.unit.enter(revoked=1)
        await a.start()
        await a.issue()
        assert run_of(a)[0] == a.unit.epoch  # the unit gives no keys of before

    told(story)


def test_after_a_revocation_keys_are_issued_in_the_new_epoch_at_once(told: Callable[[Story], None]) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        keys = await a.issue(number=3)
        assert await b.deliver(keys[0][0]) == keys[:1]
        for server in (a, b):
            server.unit.enter(revoked=1)
            await server.ready()
        assert await refusal(b.deliver(keys[1][0])) == REVOKED
        assert await refusal(b.deliver(bytes(16))) == NOT_HEARD  # just moved
        after = await a.issue()
        assert run_of(a)[0] == a.unit.epoch
        assert await b.deliver(after[0][0]) == after
        clock.now = 32.0
        assert await refusal(b.deliver(keys[1][0])) == REVOKED
        assert await refusal(b.deliver(bytes(16))) == NOT_FOUND

    told(story)


def test_keys_of_before_a_join_are_still_served_also_after_a_restart(told: Callable[[Story], None]) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        await move(a, b, a, b, a, b)  # so the generation ends with number 3
        clock.now = 100.0
        keys = await a.issue(number=2)
        await b.issue("SAE_A", master="SAE_B")
        for server in (a, b):
            for _ in range(6):
                server.unit.enter()
            await server.ready()
        assert await b.deliver(keys[0][0]) == keys[:1]
        await b.stop()
        await b.start()
        await b.ready()
        assert await b.deliver(keys[1][0]) == keys[1:]
        await move(b)
        b.unit.enter()
        await b.ready()
        assert await refusal(b.deliver(keys[1][0])) == TOO_OLD

    told(story)


def test_a_generation_that_ended_far_from_its_start_is_found_by_the_runs_of_this_site(
    told: Callable[[Story], None],
) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        for server in (a, b):
            server.unit.move(by=500)
            await server.ready()
        clock.now = 100.0
        (key,) = await a.issue()
        await b.issue("SAE_A", master="SAE_B")
        await until(lambda: b.ledger.mark.run == run_of(b))
        for server in (a, b):
            server.unit.move(by=3)
            server.unit.enter()
        await b.stop()
        await b.start()
        await b.ready()
        assert await b.deliver(key[0]) == [key]

    told(story)


def test_ids_are_served_for_eight_moves(told: Callable[[Story], None]) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        keys = await a.issue(number=10)
        for key in keys[:9]:
            assert await b.deliver(key[0]) == [key]
            await move(b)
        assert await refusal(b.deliver(keys[9][0])) == TOO_OLD

    told(story)


def test_an_id_of_an_epoch_not_heard_of_is_for_later_while_the_network_is_silent(told: Callable[[Story], None]) -> None:
    async def story(a: Server, b: Server, clock: Clock) -> None:
        await move(a)
        clock.now = 32.0
        (key,) = await a.issue()
        assert run_of(a)[0] == a.unit.epoch
        assert await refusal(b.deliver(key[0])) == NOT_FOUND
        b.unit.beacon_age = 33.0
        assert await refusal(b.deliver(key[0])) == NOT_HEARD
        b.unit.beacon_age = None  # a network without beacons moves nowhere
        assert await refusal(b.deliver(key[0])) == NOT_FOUND
        await move(b)
        assert await b.deliver(key[0]) == [key]
        assert await refusal(b.deliver(bytes(16))) == NOT_HEARD
        clock.now = 96.0
        assert await refusal(b.deliver(bytes(16))) == NOT_FOUND

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
