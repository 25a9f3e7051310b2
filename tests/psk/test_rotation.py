# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Which key a consumer is given, and when: on units of a model network, with a clock that tests set."""

import asyncio
import contextlib
import hashlib
import hmac
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serve.worlds import FIRST, ModelUnit
from support.emulate_process import PATIENCE

from ndks.exceptions import NdksError, NoUnit
from ndks_gateways.held import UnitAway
from ndks_gateways.psk import program
from ndks_gateways.psk.consumer import ConsumerFailed
from ndks_gateways.psk.program import Rotation, Schedule, give_once
from ndks_gateways.psk.rotation import Given, Step, key_of, number_at, offset_of

EVERY = 100


class Unit(ModelUnit):
    @property
    def away(self) -> NdksError | None:
        return NoUnit("not plugged in") if self.is_away else None

    async def run(self) -> None:
        await asyncio.Event().wait()


@dataclass
class Taker:
    """A consumer; `failures` calls fail, and it forgets its key when it is told to."""

    name: str = "the taker"
    failures: int = 0
    taken: list[Given] = field(default_factory=list)
    has_lost: bool = False
    asked: int = 0

    def give(self, given: Given) -> None:
        self.asked += 1
        if self.failures:
            self.failures -= 1
            raise ConsumerFailed("it does not run", "start it")
        self.has_lost = False
        self.taken.append(given)

    def has(self, _given: Given) -> bool:
        return not self.has_lost


@dataclass
class Site:
    """A site whose clock stands at `now`."""

    now: float
    unit: Unit = field(default_factory=lambda: Unit(1))
    taker: Taker = field(default_factory=Taker)
    steps: list[Step] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        schedule = Schedule("office", EVERY, clock=lambda: self.now)
        task = asyncio.create_task(Rotation(self.unit, self.taker, schedule, self.steps.append).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until(self, count: int) -> Given:
        """Wait until the taker has got so many keys, and return the last."""
        async with asyncio.timeout(PATIENCE):
            while len(self.taker.taken) < count:
                await asyncio.sleep(0.001)
        assert len(self.taker.taken) == count
        return self.taker.taken[-1]


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "_LOOK_AGAIN", 0.01)


def expected(epoch: int, number: int, name: str = "office") -> bytes:
    """Return a key by other means."""
    exported = ModelUnit(9).key(epoch, FIRST + 2, 32 * number, 32)
    return hmac.digest(exported, b"ndks psk\0" + name.encode(), hashlib.sha256)


@given(st.floats(0, 2**40), st.integers(1, 86400))
def test_the_number_is_the_time_by_the_interval(now: float, every: int) -> None:
    number = number_at(now, every)
    assert number * every <= now < (number + 1) * every


@given(st.integers(0, 2**63))
def test_each_number_has_a_place_in_the_exported_key(number: int) -> None:
    offset = offset_of(number)
    assert offset % 32 == 0
    assert offset + 32 <= 1 << 34
    assert offset_of(number + 1) in (offset + 32, 0)


def test_names_and_numbers_have_keys_of_their_own() -> None:
    keys = {key_of(ModelUnit(1).key(5, FIRST + 2, offset_of(n), 32), name) for n in range(20) for name in ("a", "b")}
    assert len(keys) == 40


def test_no_key_is_shown() -> None:
    given = Given(Step(0x10002, 7), b"k" * 32)
    assert given.step.label == "1.2.7"
    assert "kkk" not in repr(given)


async def _both(first: Site, second: Site, count: int) -> tuple[Given, Given]:
    return await first.until(count), await second.until(count)


def test_two_sites_are_in_step_and_one_that_was_away_goes_on() -> None:
    async def run() -> None:
        a, b = Site(1000), Site(1099.9, Unit(2))
        async with a.running(), b.running():
            one = await _both(a, b, 1)
            assert one[0] == one[1]
            assert one[0].step == Step(0x10000, 10)
            b.unit.set_away(True)
            a.now = b.now = 1250
            await a.until(2)
            b.now = a.now = 5000
            await a.until(3)
            b.unit.set_away(False)
            again = await b.until(2)  # one key, the present one
            assert again == a.taker.taken[-1]
            assert again.step.number == 50
            assert again.key == expected(0x10000, 50)
        assert a.steps == [each.step for each in a.taker.taken]

    asyncio.run(run())


def test_an_epoch_counts_when_all_have_heard_of_it_and_at_once_after_a_revocation() -> None:
    async def run() -> None:
        site = Site(1000)
        async with site.running():
            await site.until(1)
            site.unit.move()
            site.now = 1100
            assert (await site.until(2)).step == Step(0x10000, 11)  # the former epoch
            site.unit.enter(revoked=1)
            assert (await site.until(3)).step == Step(0x50000, 11)

    asyncio.run(run())


def test_an_epoch_that_the_unit_gave_up_is_left() -> None:
    async def run() -> None:
        site = Site(1000)
        async with site.running():
            await site.until(1)
            site.unit.generations[1].numbers.extend(range(1, 20))  # more than are kept
            site.unit._tell()
            site.now = 1100
            assert (await site.until(2)).step == Step(0x10013, 11)

    asyncio.run(run())


def test_a_consumer_that_fails_is_named_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ndks_gateways")

    async def run() -> None:
        site = Site(1000, taker=Taker(failures=3))
        async with site.running():
            given = await site.until(1)
            assert site.taker.asked == 4
            site.taker.has_lost = True  # it was started anew
            assert await site.until(2) == given
            site.taker.failures = 1
            site.taker.has_lost = True
            assert await site.until(3) == given
            assert given.key.hex() not in caplog.text

    asyncio.run(run())
    complaints = [each for each in caplog.messages if "it does not run" in each]
    assert complaints == ["CONSUMER: it does not run; this is tried again. Do: start it"] * 2  # once for each trouble


def test_a_unit_that_fails_in_the_midst_is_asked_again() -> None:
    async def run() -> None:
        site = Site(1000)
        site.unit.failures = 2
        async with site.running():
            await site.until(1)

    asyncio.run(run())


def test_once() -> None:
    async def run() -> None:
        taker = Taker()
        await give_once(Unit(1), taker, Schedule("office", EVERY, 77), lambda _: None, PATIENCE)
        assert taker.taken == [Given(Step(0x10000, 77), expected(0x10000, 77))]
        with pytest.raises(ConsumerFailed):
            await give_once(Unit(1), Taker(failures=1), Schedule("office", EVERY), lambda _: None, PATIENCE)

    asyncio.run(run())


def test_once_without_a_unit() -> None:
    unit = Unit(1)
    unit.is_away = True
    with pytest.raises(UnitAway, match="not plugged in"):
        asyncio.run(give_once(unit, Taker(), Schedule("office", EVERY), lambda _: None, 0.01))
