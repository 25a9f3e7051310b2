# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One open unit and several threads: each method is atomic, and a closed unit raises its error."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from host.conftest import MakeUnit
from host.scripted_transport import answer
from host.scripted_unit import scripted_unit
from support.emulate_process import PATIENCE, emulated
from unit.other_member import header_of

import ndks
from ndks_protocol import commands, framing

EACH = 20
BITS = 300


@pytest.fixture(params=["in process", "pty"])
def line(request: pytest.FixtureRequest, alice: str) -> Any:
    if request.param == "in process":
        yield alice
    else:
        with emulated(Path(alice.removeprefix("emulator:"))) as running:
            yield running.port


def in_threads(*work: Callable[[], object]) -> list[Any]:
    with ThreadPoolExecutor(len(work)) as pool:
        return [done.result() for done in [pool.submit(each) for each in work]]


def test_no_key_is_given_twice(line: str, network: ndks.Network) -> None:
    with ndks.open(line) as unit:
        taken = in_threads(*[lambda: [unit.next_key(BITS) for _ in range(EACH)]] * 3)
        keys = sorted((key for keys in taken for key in keys), key=lambda key: key.index)
        assert [key.index for key in keys] == list(range(1, 3 * EACH + 1))
        assert len({key.data for key in keys}) == len(keys)
        assert unit.key(7, BITS).data == keys[6].data


def test_streams_messages_and_keys_at_the_same_time(line: str, network: ndks.Network) -> None:
    with ndks.open(line) as unit:
        expected = unit.key(9, 400_000).data
        streamed, again, capsules, keys, status = in_threads(
            lambda: b"".join(unit.stream_key(9, 400_000)),
            lambda: b"".join(unit.stream_key(9, 400_000)),
            lambda: [unit.seal(bytes(3000), mode=mode) for mode in "abab"],
            lambda: [unit.next_key(64).index for _ in range(EACH)],
            lambda: [unit.status().network for _ in range(EACH)],
        )
    assert streamed == again == expected
    assert [header_of(network, capsule).number for capsule in capsules] == [1, 2, 3, 4]
    assert keys == list(range(1, EACH + 1))
    assert set(status) == {"office"}


def test_a_stream_goes_on_when_another_caller_begins_a_new_session(line: str) -> None:
    with ndks.open(line) as unit:
        expected = unit.key(9, 80_000).data
        blocks: list[bytes] = []
        for step, block in enumerate(unit.stream_key(9, 80_000)):
            blocks.append(block)
            (unit.unlock, unit.bind, unit.eject)[step % 3]()
        assert b"".join(blocks) == expected


def test_what_was_asked_in_a_session_is_not_answered_in_the_clear(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def script(request: framing.Frame) -> bytes:
        offset = int.from_bytes(request.payload[12:20], "big")
        return b"" if offset else answer(request, bytes(1024))

    unit = scripted_unit(script, monkeypatch, tmp_path)
    stream = unit.stream_key(9, 3 * 8192)
    assert next(stream) == bytes(1024)
    (request_id,) = unit._link._conversation._requests
    unit._link.end_session()
    in_flight = framing.Frame(commands.KEY_CHUNK.code, request_id, b"")
    transport: Any = unit._link._transport
    transport._answers.append(answer(in_flight, bytes(1024)))
    with pytest.raises(ndks.DeviceError) as refused:
        next(stream)
    assert refused.value.code == "SESSION_ENDED"


def test_a_closed_unit_says_so(line: str) -> None:
    unit = ndks.open(line)
    stream = unit.stream_key(1, 80_000)
    next(stream)
    unit.close()
    unit.close()
    for verb in (
        unit.next_index,
        unit.status,
        unit.unlock,
        unit.eject,
        unit.check_blank,
        unit.check_member,
        lambda: unit.next_key(8),
        lambda: unit.seal(b"letter"),
        lambda: next(stream),
    ):
        with pytest.raises(ndks.UsageError, match="closed"):
            verb()
    with ndks.open(line) as again:
        assert again.next_index() == (0, 1)


def test_a_unit_can_be_closed_by_another_thread_than_the_one_that_opened_it(alice: str) -> None:
    async def use() -> int:
        unit = await asyncio.to_thread(ndks.open, alice)
        key = await asyncio.to_thread(unit.next_key, 256)
        unit.close()
        return key.index

    assert [asyncio.run(use()) for _ in range(3)] == [1, 2, 3]


def test_closing_waits_for_the_step_that_goes_on(alice: str) -> None:
    unit = ndks.open(alice)
    reading, may_go_on = threading.Event(), threading.Event()

    class Slow:
        def __init__(self) -> None:
            self.left = [b"letter", b""]

        def read(self, size: int, /) -> bytes:
            reading.set()
            assert may_go_on.wait(PATIENCE)
            return self.left.pop(0) if self.left else b""

    with ThreadPoolExecutor(2) as pool:
        sealing = pool.submit(unit.encrypt, Slow(), Path(alice.removeprefix("emulator:")).parent / "out.ndks")
        assert reading.wait(PATIENCE)
        closing = pool.submit(unit.close)
        may_go_on.set()
        assert sealing.result() == len(b"letter")
        closing.result()


def test_asyncio(alice: str) -> None:
    async def take() -> list[int]:
        with ndks.open(alice) as unit:
            keys = await asyncio.gather(*(asyncio.to_thread(unit.next_key, 256) for _ in range(5)))
        return sorted(key.index for key in keys)

    assert asyncio.run(take()) == [1, 2, 3, 4, 5]


def test_two_units_in_two_threads_give_the_same(alice: str, make_unit: MakeUnit) -> None:
    bob = make_unit("bob", 2)
    with ndks.open(alice) as one, ndks.open(bob) as other:
        first, second = in_threads(*[lambda unit=unit: [unit.next_key(64) for _ in range(5)] for unit in (one, other)])
    assert first == second
