# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Keys of epochs that begin and end, at servers that restart: runs, moves, joins and revocations."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from ndks_gateways.keys.runs import SLOTS
from ndks_gateways.serving.sqlite_ledger import SqliteConnection

from .sites import Clock, Server, refusal, until
from .stories import NOT_FOUND, NOT_HEARD, REVOKED, TOO_OLD, Story, ids_of, move


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
