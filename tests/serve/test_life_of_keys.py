# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Random lives of two sites with several servers each: whatever happens, no key comes twice, and none is another."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from ndks_gateways.keys.refusals import BadRequest, NotNow, Unauthorized
from ndks_gateways.serving.sqlite_ledger import SqliteConnection

from .databases import Database
from .sites import Clock, Keys, Server
from .worlds import ModelUnit

SEEDS = range(4)
STEPS = 150
SIZES = (8, 32, 33, 100, 1024)
LANES = (1, 2, 3)  # two units of one site, and one of the other


class Life:
    """Servers 0 to 2 are of site A, with two units and one ledger; server 3 is of site B, and issues."""

    def __init__(self, servers: list[Server], seed: int, clock: Clock) -> None:
        self.servers = servers
        self.units = list({id(server.unit): server.unit for server in servers}.values())
        self.rng = random.Random(seed)
        self.clock = clock
        self.open: list[tuple[bytes, bytes, int]] = []  # issued, not delivered: id, key, epoch
        self.keys: set[bytes] = set()
        self.delivered = 0

    async def step(self) -> None:
        actions = (self.issue, self.deliver, self.at_once, self.pause, self.move, self.restart, self.fail, self.enter)
        await self.rng.choices(actions, (30, 30, 10, 10, 6, 5, 5, 2))[0]()

    async def issue(self) -> None:
        server, size = self.rng.choice(self.servers), self.rng.choice(SIZES)
        with contextlib.suppress(NotNow):
            keys = await server.issue(size=size, number=self.rng.choice((1, 5, 40)))
            self.note(server, keys)

    def note(self, server: Server, keys: Keys) -> None:
        own = server.site.issuer._own
        assert own
        assert self.keys.isdisjoint(key for _, key in keys)
        self.keys |= {key for _, key in keys}
        assert all(known[0] not in dict(keys) for known in self.open)
        self.open += [(key_id, key, own.run.epoch) for key_id, key in keys]

    async def deliver(self) -> None:
        """Ask one server for keys, and then others for the same ones: they come once, or never."""
        if not self.open:
            return
        chosen = self.rng.sample(self.open, min(self.rng.choice((1, 1, 8)), len(self.open)))
        server = self.rng.choice(self.servers[:3])
        ids = [key_id for key_id, _, _ in chosen]
        try:
            got = await server.deliver(*ids)
        except NotNow:
            return
        except (BadRequest, Unauthorized):  # an id of an epoch not heard of may look like one of another
            assert any(self.may_be_gone(epoch) for _, _, epoch in chosen)
            return
        assert got == [(key_id, key) for key_id, key, _ in chosen]
        self.delivered += len(got)
        self.open = [each for each in self.open if each not in chosen]
        for again in self.servers[:3]:
            with pytest.raises((BadRequest, NotNow)):
                await again.deliver(self.rng.choice(ids))

    def may_be_gone(self, epoch: int) -> bool:
        """Return whether some unit has not heard of an epoch, has cut it, or is eight renewals further."""
        for unit in self.units:
            generation = unit.generations.get(epoch >> 16)
            revoked = unit.generations[max(unit.generations)].revoked
            if not generation or generation.revoked < revoked:
                return True
            if not generation.numbers[-1] - 8 <= epoch & 0xFFFF <= generation.numbers[-1]:
                return True
        return False

    async def at_once(self) -> None:
        """Let all servers of site A deliver the same keys at once: one gives them."""
        if not self.open:
            return
        each = self.rng.choice(self.open)
        results = await asyncio.gather(
            *(server.deliver(each[0]) for server in self.servers[:3] * 2), return_exceptions=True
        )
        given = [result for result in results if not isinstance(result, BaseException)]
        assert len(given) <= 1
        assert all(isinstance(result, (BadRequest, NotNow)) for result in results if result not in given)
        if given:
            assert given == [[each[:2]]]
            self.delivered += 1
            self.open.remove(each)

    async def pause(self) -> None:
        self.clock.now += self.rng.choice((1.0, 20.0, 40.0, 1000.0))

    async def move(self) -> None:
        """Move by one or more; the units hear of it one after the other."""
        by = self.rng.choice((1, 1, 3))
        await self.each_unit(lambda unit: unit.move(by))

    async def enter(self) -> None:
        revoked = self.rng.choice((0, 0, 1))
        await self.each_unit(lambda unit: unit.enter(revoked=revoked))

    async def each_unit(self, happens: Callable[[ModelUnit], None]) -> None:
        for unit in self.rng.sample(self.units, len(self.units)):
            happens(unit)
            for _ in range(self.rng.randrange(3)):
                await self.rng.choice((self.issue, self.deliver, self.at_once))()

    async def restart(self) -> None:
        server = self.rng.choice(self.servers)
        await server.stop()
        await server.start()

    async def fail(self) -> None:
        unit = self.rng.choice(self.units)
        if self.rng.random() < 0.5:
            unit.failures = self.rng.randrange(1, 5)
            return
        unit.set_away(True)
        for _ in range(5):
            await self.rng.choice((self.issue, self.deliver, self.at_once))()
        unit.set_away(False)

    async def end(self) -> None:
        """After a quiet time, each key that a unit keeps is delivered."""
        for unit in self.units:
            unit.failures = 0
        self.clock.now += 1000.0
        for server in self.servers:
            await server.stop()
            await server.start()
            await server.ready()
        for key_id, key, epoch in self.open:
            try:
                assert await self.servers[0].deliver(key_id) == [(key_id, key)]
                self.delivered += 1
            except (BadRequest, Unauthorized):
                assert self.may_be_gone(epoch)


@contextlib.asynccontextmanager
async def sites(database: Database, other: Path) -> AsyncIterator[list[Server]]:
    units = [ModelUnit(lane) for lane in LANES]
    servers = [
        Server(unit, database.connect, other / f"mark{number}", f"s{number}")
        for number, unit in enumerate((units[0], units[0], units[1]))
    ]
    servers.append(Server(units[2], lambda: SqliteConnection(other / "b"), other / "mark3", "b"))
    try:
        for server in servers:
            await server.start()
        for server in (servers[0], servers[3]):
            await server.ledger.begin(0)
        yield servers
    finally:
        for server in servers:
            await server.stop()


@pytest.mark.parametrize("seed", SEEDS)
def test_no_key_comes_twice_and_none_is_another(
    seed: int, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)

    async def story() -> int:
        async with sites(database, tmp_path) as servers:
            life = Life(servers, seed, clock)
            for _ in range(STEPS):
                await life.step()
            await life.end()
            return life.delivered

    assert asyncio.run(story()) > 50
