# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks.aio`: tasks that are cancelled, at each read of the port and at random moments, leave unit and host in step."""

import asyncio
import contextlib
import io
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from host.answering_pty import answering_pty, silence
from support.emulate_process import PATIENCE
from unit.other_member import OtherMember, open_offline

import ndks
import ndks.aio
from ndks.aio.unit_thread import StoppableTransport

BITS = 8 * 3000
LETTER = bytes(5000)
TASKS = 6
ROUNDS = 25
LONGEST = 0.03  # seconds until a task is cancelled
MIDDLE = 20  # reads of the port, after which a long message is in its midst

Verb = Callable[[ndks.aio.Unit, OtherMember], Awaitable[Any]]


@pytest.fixture
def sender(network: ndks.Network) -> OtherMember:
    return OtherMember(network, 2)


async def whole_stream(unit: ndks.aio.Unit, _: OtherMember) -> None:
    async for _block in unit.stream_key(9, BITS):
        pass


async def take_key(unit: ndks.aio.Unit, _: OtherMember) -> None:
    async with unit.taking_key(BITS) as key:
        await key.read()


async def take_message(unit: ndks.aio.Unit, sender: OtherMember) -> None:
    async with unit.taking_message(io.BytesIO(sender.seal(LETTER))) as message:
        await message.read()


async def accept(unit: ndks.aio.Unit, sender: OtherMember) -> None:
    capsule = sender.seal(b"letter", "aes")
    (await unit.open_message_keys(capsule)).unseal(capsule)
    await unit.accept(capsule)


VERBS: dict[str, Verb] = {
    "unlock": lambda unit, _: unit.unlock(),
    "status": lambda unit, _: unit.status(),
    "next_index": lambda unit, _: unit.next_index(),
    "acknowledge": lambda unit, _: unit.acknowledge(0, 1),
    "key": lambda unit, _: unit.key(9, BITS),
    "next_key": lambda unit, _: unit.next_key(64),
    "stream_key": whole_stream,
    "taking_key": take_key,
    "seal, mode a, vernam": lambda unit, _: unit.seal(LETTER, cipher="vernam", mode="a"),
    "seal, mode b, aes": lambda unit, _: unit.seal(LETTER, cipher="aes", mode="b"),
    "unseal": lambda unit, sender: unit.unseal(sender.seal(LETTER)),
    "unseal, aes": lambda unit, sender: unit.unseal(sender.seal(LETTER, "aes")),
    "taking_message": take_message,
    "inspect": lambda unit, sender: unit.inspect(sender.seal(b"")),
    "message_keys": lambda unit, _: unit.message_keys(),
    "accept": accept,
    "take_number": lambda unit, _: unit.take_number(),
}
WHOLE: dict[str, Verb] = {
    "bind": lambda unit, _: unit.bind(),
    "trust": lambda unit, _: unit.trust(9, "11" * 16),
    "eject": lambda unit, _: unit.eject(),
}


class InStep:
    """Checks, between other calls, that a unit and its host go on: no number comes twice, no key goes back."""

    def __init__(self, unit: ndks.aio.Unit) -> None:
        self._unit = unit
        self._number = 0
        self._index = 1

    async def check(self) -> None:
        taken, (_, index) = (await self._unit.take_number()).number, await self._unit.next_index()
        assert taken > self._number
        assert index >= self._index
        self._number, self._index = taken, index
        assert len((await self._unit.key(7, BITS)).data) == BITS // 8


@contextlib.asynccontextmanager
async def cancelling(task: "asyncio.Task[Any]", read: int, patch: pytest.MonkeyPatch) -> AsyncGenerator[None]:
    """Cancel a task while its unit is before the n-th read of the port from now on."""
    loop, left, original = asyncio.get_running_loop(), read, StoppableTransport.read

    def read_or_cancel(transport: StoppableTransport) -> bytes:
        nonlocal left
        left -= 1
        if left == 0:
            asyncio.run_coroutine_threadsafe(cancel(), loop).result(PATIENCE)
        return original(transport)

    async def cancel() -> None:
        task.cancel()
        await asyncio.sleep(0)  # the task has been told

    with patch.context() as patched:
        patched.setattr(StoppableTransport, "read", read_or_cancel)
        yield


async def cancel_at_each_read(unit: ndks.aio.Unit, verb: Verb, sender: OtherMember, patch: pytest.MonkeyPatch) -> int:
    """Cancel the method before its first read of the port, its second, and so on; return their number."""
    in_step, read = InStep(unit), 0
    while True:
        read += 1
        await unit.eject()  # so that it opens a session, too
        task = asyncio.ensure_future(verb(unit, sender))
        async with cancelling(task, read, patch):
            await asyncio.wait([task])
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await in_step.check()
        if not task.cancelled():
            return read


@pytest.mark.parametrize("name", [*VERBS, *WHOLE])
def test_cancelled_at_each_read(
    alice: str, name: str, sender: OtherMember, network: ndks.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        async with ndks.aio.open(alice) as unit:
            verb = (VERBS | WHOLE)[name]
            assert await cancel_at_each_read(unit, verb, sender, monkeypatch) > (1 if name == "eject" else 6)
            assert open_offline(network, await unit.seal(LETTER)) == LETTER
            assert await unit.unseal(sender.seal(LETTER)) == LETTER

    asyncio.run(work())


@pytest.mark.parametrize("seed", range(3))
def test_many_tasks_cancelled_at_random_moments(
    each_line: str, seed: int, sender: OtherMember, network: ndks.Network
) -> None:
    choose = random.Random(seed)
    outcomes: list[bool] = []

    async def one(unit: ndks.aio.Unit) -> None:
        for _ in range(ROUNDS):
            verb = choose.choice([*VERBS.values(), WHOLE["trust"], WHOLE["eject"]])
            task = asyncio.ensure_future(verb(unit, sender))
            await asyncio.wait([task], timeout=choose.choice((choose.random() * LONGEST, PATIENCE)))
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            outcomes.append(task.cancelled())

    async def work() -> None:
        async with ndks.aio.open(each_line) as unit:
            in_step = InStep(unit)
            await asyncio.gather(*(one(unit) for _ in range(TASKS)))
            for _ in range(2):
                await in_step.check()
            assert open_offline(network, await unit.seal(LETTER)) == LETTER
            assert await unit.unseal(sender.seal(LETTER)) == LETTER

    asyncio.run(work())
    assert len(outcomes) == TASKS * ROUNDS
    assert 0 < sum(outcomes) < len(outcomes), "some were cancelled, and some were done"


def test_a_cancelled_message_can_be_opened_again(
    alice: str, sender: OtherMember, monkeypatch: pytest.MonkeyPatch
) -> None:
    capsule = sender.seal(bytes(200_000))

    async def work() -> None:
        async with ndks.aio.open(alice) as unit:
            opening = asyncio.ensure_future(unit.unseal(capsule))
            async with cancelling(opening, MIDDLE, monkeypatch):
                await asyncio.wait([opening])
            assert opening.cancelled()
            assert await unit.unseal(capsule) == bytes(200_000)

    asyncio.run(work())


def test_nothing_is_written_by_a_cancelled_task(
    alice: str, sender: OtherMember, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "letter").write_bytes(sender.seal(bytes(400_000)))
    before = sorted(tmp_path.iterdir())

    async def work() -> None:
        async with ndks.aio.open(alice) as unit:
            for what in (
                unit.decrypt(tmp_path / "letter", tmp_path / "out"),
                unit.encrypt(tmp_path / "letter", tmp_path / "out"),
            ):
                task = asyncio.ensure_future(what)
                async with cancelling(task, MIDDLE, monkeypatch):
                    await asyncio.wait([task])
                assert task.cancelled()

    asyncio.run(work())
    assert sorted(tmp_path.iterdir()) == before


def test_a_task_that_waits_for_its_turn_is_cancelled_at_once(alice: str) -> None:
    async def work() -> None:
        async with ndks.aio.open(alice) as unit:
            async with unit.taking_key(8):
                pass
            waiting: list[asyncio.Task[Any]] = []
            ready = asyncio.Event()

            async def late() -> None:
                await ready.wait()
                await unit.acknowledge(0, 9)

            waiting.append(asyncio.ensure_future(late()))
            async with unit.taking_key(8):
                ready.set()
                await asyncio.sleep(0.01)
                waiting[0].cancel()
                await asyncio.wait(waiting)
                assert waiting[0].cancelled()
            assert await unit.next_index() == (0, 3)

    asyncio.run(work())


def test_what_changes_a_unit_is_done_before_its_task_is_cancelled(alice: str) -> None:
    async def work() -> None:
        async with ndks.aio.open(alice) as unit:
            erasing = asyncio.ensure_future(unit.zeroize())
            await asyncio.sleep(0)
            for _ in range(3):
                erasing.cancel()
                await asyncio.sleep(0)
            await asyncio.wait([erasing])
            assert erasing.cancelled()
            assert unit.hello.state == "blank"

    asyncio.run(work())


def test_a_silent_unit_does_not_hold_up_a_cancelled_task() -> None:
    async def work(port: str) -> float:
        begun = time.monotonic()
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ndks.aio.open(port, timeout=600), 0.05)
        return time.monotonic() - begun

    with answering_pty(silence) as port:
        assert asyncio.run(work(port)) < PATIENCE


def test_a_port_is_free_after_a_cancelled_opening(alice: str) -> None:
    async def work() -> None:
        for delay in range(12):
            opening = asyncio.ensure_future(ndks.aio.open(alice))
            await asyncio.wait([opening], timeout=delay / 1000)
            opening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await (await opening).close()
        async with ndks.aio.open(alice) as unit:
            assert await unit.next_index() == (0, 1)

    asyncio.run(work())


def test_ctrl_c_in_a_program(alice: str) -> None:
    """asyncio.run cancels its main task, which closes the unit on its way."""

    async def work() -> None:
        async with ndks.aio.open(alice) as unit:
            task = asyncio.current_task()
            assert task
            asyncio.get_running_loop().call_later(0.05, task.cancel)
            await unit.key(9, 1 << 32)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(work())
    with ndks.open(alice) as unit:
        assert unit.next_index() == (0, 1)
