# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks.aio` with many tasks and one unit: turns, blocks, and what closing waits for."""

import asyncio
import contextlib
import io
from collections.abc import Awaitable, Callable
from typing import Any

from host.awaiting import BITS, LETTER, with_unit
from host.conftest import MakeUnit
from support.emulate_process import PATIENCE
from unit.other_member import OtherMember, header_of

import ndks
import ndks.aio

EACH = 15


def test_no_key_is_given_twice_to_many_tasks(each_line: str) -> None:
    async def take(unit: ndks.aio.Unit) -> list[ndks.Key]:
        return await asyncio.gather(*(unit.next_key(BITS) for _ in range(3 * EACH)))

    keys = with_unit(each_line, take)
    assert [key.index for key in keys] == list(range(1, 3 * EACH + 1)), "in the order in which they asked"
    assert len({key.data for key in keys}) == len(keys)


def test_streams_messages_and_keys_at_the_same_time(each_line: str, network: ndks.Network) -> None:
    async def stream(unit: ndks.aio.Unit) -> bytes:
        return b"".join([block async for block in unit.stream_key(9, 200_000)])

    async def many(what: Callable[[], Awaitable[Any]]) -> list[Any]:
        return [await what() for _ in range(EACH)]

    async def work(unit: ndks.aio.Unit) -> tuple[Any, ...]:
        expected = (await unit.key(9, 200_000)).data
        streamed, again, *others = await asyncio.gather(
            stream(unit),
            stream(unit),
            many(lambda: unit.seal(bytes(3000))),
            many(lambda: unit.next_key(64)),
            many(unit.status),
            many(unit.take_number),
        )
        assert streamed == again == expected
        return (*others,)

    capsules, keys, status, taken = with_unit(each_line, work)
    numbers = [header_of(network, capsule).number for capsule in capsules] + [own.number for own in taken]
    assert sorted(numbers) == list(range(1, 2 * EACH + 1))
    assert [key.index for key in keys] == list(range(1, EACH + 1))
    assert {each.network for each in status} == {"office"}


def test_the_loop_goes_on_while_the_unit_computes(alice: str) -> None:
    async def work(unit: ndks.aio.Unit) -> int:
        turns = 0
        reading = asyncio.ensure_future(unit.key(1, 3_000_000))
        while not reading.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert with_unit(alice, work) > 100


def test_two_units_in_one_loop(alice: str, make_unit: MakeUnit) -> None:
    bob = make_unit("bob", 2)

    async def work() -> None:
        async with ndks.aio.open(alice) as one, ndks.aio.open(bob) as other:
            async with one.taking_key(64) as first, other.taking_key(64) as second:
                assert await first.read() == await second.read()
            capsule = await one.seal(LETTER)
            assert await other.unseal(capsule) == LETTER

    asyncio.run(work())


def test_a_block_has_the_unit_to_itself_and_to_its_tasks(each_line: str) -> None:
    async def work(unit: ndks.aio.Unit) -> None:
        done: list[str] = []
        may_ask = asyncio.Event()

        async def other() -> None:
            await may_ask.wait()
            await unit.next_key(8)
            done.append("other")

        outside = asyncio.ensure_future(other())
        async with unit.taking_key(BITS) as key:
            may_ask.set()
            await asyncio.wait_for(key.read(), PATIENCE)
            await asyncio.gather(*(unit.status() for _ in range(EACH)))
            done.append("block")
        await outside
        assert done == ["block", "other"]
        assert await unit.next_index() == (0, 3)

    with_unit(each_line, work)


def test_a_task_that_outlives_its_block_waits_as_all_others(alice: str) -> None:
    async def work(unit: ndks.aio.Unit) -> None:
        begun = asyncio.Event()

        async def late() -> None:
            await begun.wait()
            await unit.next_key(8)

        async with unit.taking_key(8):
            task = asyncio.ensure_future(late())
        async with unit.taking_key(8):
            begun.set()
            await asyncio.sleep(0.05)
            assert not task.done()
        await task
        assert await unit.next_index() == (0, 4)

    with_unit(alice, work)


def test_a_block_that_fails_uses_nothing_up(each_line: str, network: ndks.Network) -> None:
    capsule = OtherMember(network, 2).seal(LETTER)

    async def work(unit: ndks.aio.Unit) -> None:
        with contextlib.suppress(ZeroDivisionError):
            async with unit.taking_key(8) as key:
                await key.read()
                raise ZeroDivisionError
        with contextlib.suppress(ZeroDivisionError):
            async with unit.taking_message(io.BytesIO(capsule)) as message:
                await message.read()
                raise ZeroDivisionError
        assert await unit.next_index() == (0, 1)
        assert await unit.unseal(capsule) == LETTER

    with_unit(each_line, work)


def test_a_stream_that_is_left_leaves_the_unit_in_step(each_line: str) -> None:
    async def work(unit: ndks.aio.Unit) -> None:
        for _ in range(5):
            async with contextlib.aclosing(unit.stream_key(9, 80_000)) as blocks:
                async for _ in blocks:
                    break
            await unit.next_key(8)
        assert await unit.next_index() == (0, 6)

    with_unit(each_line, work)


def test_closing_waits_for_what_goes_on_and_ends_in_a_block(alice: str) -> None:
    async def work() -> None:
        unit = await ndks.aio.open(alice)
        reading = asyncio.ensure_future(unit.key(9, 300_000))
        await asyncio.sleep(0)
        await unit.close()
        assert len((await reading).data) == 37_500
        unit = await ndks.aio.open(alice)
        with contextlib.suppress(ndks.UsageError):
            async with unit.taking_key(8) as key:
                await key.read()
                await unit.close()
        async with ndks.aio.open(alice) as again:
            assert await again.next_index() == (0, 1)

    asyncio.run(work())


def test_a_function_of_the_driver_in_one_turn(alice: str) -> None:
    async def work(unit: ndks.aio.Unit) -> None:
        def some(opened: ndks.Unit) -> list[int]:
            return [opened.next_key(8).index for _ in range(EACH)]

        taken = await asyncio.gather(unit.run(some), unit.run(some, whole=True))
        assert taken == [list(range(1, EACH + 1)), list(range(EACH + 1, 2 * EACH + 1))]

    with_unit(alice, work)
