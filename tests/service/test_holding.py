# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The thread of the unit goes on whatever happens, and so do the requests behind it."""

import asyncio
from pathlib import Path

import pytest
from support.emulate_process import PATIENCE

from ndks.laptop.bindings import BindingStore
from ndks.line.transport import Transport
from ndks.service import holding
from ndks.service.asking import Asking
from ndks.service.holding import Holder, State
from ndks.service.order import OF_MESSAGES, Job, Order
from ndks_protocol import commands, errors, service
from ndks_protocol.errors import UnitError

from . import virtual


def test_a_fault_loses_the_unit_for_a_while_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = BindingStore(tmp_path, look=lambda **_: ())
    unit = virtual.member(store)
    opened: list[str] = []
    told: list[State] = []
    monkeypatch.setattr(holding, "_REFUSED", 0.01)

    def opener(known: str) -> tuple[str, Transport]:
        opened.append(known)
        if len(opened) == 1:
            raise ValueError("a fault")
        return "memory", unit

    async def work() -> None:
        order = Order()
        is_present = asyncio.Event()
        loop = asyncio.get_running_loop()

        def tell(state: State) -> None:
            told.append(state)
            if state.present:
                loop.call_soon_threadsafe(is_present.set)

        thread = Holder(order, opener, 1.0, store, tell).start()
        await asyncio.wait_for(is_present.wait(), PATIENCE)
        order.close()
        await asyncio.to_thread(thread.join, PATIENCE)

    asyncio.run(work())
    assert [(state.present, state.code) for state in (told[0], told[-1])] == [
        (False, errors.INTERNAL),
        (True, service.NO_UNIT),
    ]
    assert "ValueError" in str(told[0].problem)


def test_an_answer_that_cannot_be_read_is_an_error_of_its_request() -> None:
    async def work() -> int:
        order = Order()
        asking = Asking(order)
        asking.told(State(present=True))

        def then(_: bytes) -> None:
            raise UnitError(errors.INTERNAL)

        asked = asyncio.create_task(asking.ask_both("client", (commands.STATUS, b""), OF_MESSAGES, then))
        await asyncio.sleep(0)
        job = order.take(0, 0)
        assert isinstance(job, Job)
        job.done(b"")
        assert job.follow
        assert job.follow(b"") is None
        with pytest.raises(UnitError) as refused:
            await asked
        return refused.value.code

    assert asyncio.run(work()) == errors.INTERNAL


def test_a_request_waits_for_its_turn_and_then_a_second_for_the_unit() -> None:
    async def work() -> tuple[object, float]:
        loop = asyncio.get_running_loop()
        asking = Asking(Order(loop.time))
        asking.told(State(present=True))
        outcome: asyncio.Future[object] = loop.create_future()
        asking.forward("client", commands.STATUS, b"", OF_MESSAGES, outcome.set_result)
        await asyncio.sleep(3)  # others have their turns
        asking.told(State())
        began = loop.time()
        return await outcome, loop.time() - began

    code, waited = virtual.run(work())
    assert code == service.NO_UNIT
    assert 1.0 <= waited < 1.5


def test_a_request_waits_while_the_session_is_being_opened() -> None:
    async def work() -> tuple[bool, object]:
        loop = asyncio.get_running_loop()
        asking = Asking(Order(loop.time))
        asking.told(State(is_opening=True))
        outcome: asyncio.Future[object] = loop.create_future()
        asking.forward("client", commands.STATUS, b"", OF_MESSAGES, outcome.set_result)
        await asyncio.sleep(3)
        is_waiting = not outcome.done()
        asking.told(State())  # it does not answer any more
        return is_waiting, await outcome

    assert virtual.run(work()) == (True, service.NO_UNIT)


def test_many_changes_of_an_absent_unit_leave_one_timer() -> None:
    looks: list[float] = []

    class Watched(Order):
        def older_than(self, seconds: float) -> list[Job]:
            looks.append(seconds)
            return super().older_than(seconds)

    async def work() -> None:
        asking = Asking(Watched(asyncio.get_running_loop().time))
        for number in range(100):
            asking.told(State(serial_number=str(number)))
        await asyncio.sleep(11)

    virtual.run(work())
    assert len(looks) < 50


def test_who_watches_in_vain_leaves_nothing() -> None:
    async def work() -> int:
        asking = Asking(Order())
        for _ in range(10):
            await asking.wait_until(lambda *_: False, 8.0)
        return len(asking._watching)

    assert virtual.run(work()) == 0
