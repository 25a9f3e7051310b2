# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks.aio`: each method of a unit as a coroutine, with the same results and errors."""

import asyncio
import inspect
import io
import signal
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from host.answering_pty import answering_pty, silence
from host.awaiting import BITS, LETTER, with_unit
from support.emulate_process import EmulateProcess, emulated, wait_until
from unit.other_member import OtherMember, open_offline

import ndks
import ndks.aio


def test_every_method_is_there() -> None:
    blocking = {name for name in dir(ndks.Unit) if not name.startswith("_")} - {"turn"}
    assert {name for name in dir(ndks.aio.Unit) if not name.startswith("_")} == blocking | {"run", "port"}
    for name in blocking:
        method, ours = getattr(ndks.Unit, name), getattr(ndks.aio.Unit, name)
        if inspect.isfunction(method) and name != "close":
            assert [*inspect.signature(ours).parameters] == [*inspect.signature(method).parameters]
        assert inspect.isdatadescriptor(method) == inspect.isdatadescriptor(ours)
        assert ours.__doc__


def test_the_life_of_a_unit(tmp_path: Path, network_file: Path) -> None:
    async def live(unit: ndks.aio.Unit) -> None:
        await unit.check_blank()
        joined = await unit.join(network_file, "alice")
        assert (await unit.status()).lane == joined.lane
        assert (await unit.status(unlock=False)).network == (await unit.unlock()).network == "office"
        await unit.check_member()
        assert unit.is_bound_here
        assert unit.hello.state == "locked"
        assert not unit.went_back
        await unit.trust(9, "11" * 16)
        assert (await unit.bind()).binding_id == unit.hello.binding_id
        await unit.eject()
        await unit.zeroize()
        code = await unit.provision(ndks.Network.load(network_file), 7)
        await unit.bind(code)
        assert (await unit.unlock()).lane == 7

    with_unit(f"emulator:{tmp_path / 'new'}", live, create=True)


def test_keys(each_line: str) -> None:
    async def take(unit: ndks.aio.Unit) -> list[ndks.Key]:
        assert await unit.next_index() == (0, 1)
        first = await unit.next_key(BITS)
        async with unit.taking_key(BITS, advice="none") as key:
            second = await key.read()
            blocks = [block async for block in key.blocks(offset=30)]
        assert b"".join(blocks) == second.data[30:]
        assert await unit.acknowledge(0, 5) == 6
        streamed = b"".join([block async for block in unit.stream_key(9, 80_000, epoch=0)])
        assert streamed == (await unit.key(9, 80_000)).data
        return [first, second]

    taken = with_unit(each_line, take)
    with ndks.open(each_line) as unit:
        assert taken == [unit.key(1, BITS), unit.key(2, BITS)]
        assert unit.next_index() == (0, 6)


def test_messages(each_line: str, network: ndks.Network, tmp_path: Path) -> None:
    other = OtherMember(network, 2)

    async def talk(unit: ndks.aio.Unit) -> None:
        sealed = [await unit.seal(LETTER, cipher=cipher, mode=mode) for cipher in ("aes", "vernam") for mode in "ab"]
        sealed.append((await unit.message_keys()).seal(LETTER))
        assert [open_offline(network, capsule) for capsule in sealed] == [LETTER] * 5
        assert (await unit.take_number()).number == 6
        assert await unit.encrypt(io.BytesIO(LETTER), tmp_path / "letter.ndks") == len(LETTER)
        assert open_offline(network, (tmp_path / "letter.ndks").read_bytes()) == LETTER
        assert await unit.unseal(other.seal(LETTER)) == LETTER
        unsealed = await unit.decrypt(io.BytesIO(other.seal(LETTER)), tmp_path / "letter")
        assert (unsealed.size, (tmp_path / "letter").read_bytes()) == (len(LETTER), LETTER)
        capsule = other.seal(LETTER, "aes")
        async with unit.taking_message(io.BytesIO(capsule)) as message:
            assert message.unsealed is None
            assert await message.read() == LETTER
            assert message.unsealed
        assert (await unit.inspect(capsule)).state == "DUPLICATE"
        capsule = other.seal(LETTER, "aes")
        assert (await unit.open_message_keys(capsule)).unseal(capsule) == LETTER
        await unit.accept(capsule)
        sink = io.BytesIO()
        async with unit.taking_message(io.BytesIO(capsule), again=True) as message:
            assert (await message.unseal_into(sink)).number == 4
        assert sink.getvalue() == LETTER

    with_unit(each_line, talk)


REFUSED: dict[str, Callable[[Any], Any]] = {
    "TAMPERED or PROVISIONED": lambda unit: unit.check_blank(),
    "PROVISIONED": lambda unit: unit.provision(ndks.Network.new("office"), 3),
    "own lane": lambda unit: unit.trust(1, "11" * 16),
    "words": lambda unit: unit.bind("no words"),
    "wrong code": lambda unit: unit.bind(bytes(32)),
    "RANGE": lambda unit: unit.key(0, 8),
    "no bits": lambda unit: unit.key(1, 0),
    "EPOCH": lambda unit: unit.acknowledge(1, 1),
    "TOO_FAR": lambda unit: unit.acknowledge(0, 1 << 30),
    "never used up": lambda unit: unit.acknowledge(0, 1 << 47, allow_jump=True),
    "no mode": lambda unit: unit.seal(b"", mode="c"),
    "no cipher": lambda unit: unit.seal(b"", cipher="rot13"),
    "no capsule": lambda unit: unit.unseal(b""),
    "HEADER": lambda unit: unit.unseal(b"\1" + bytes(60)),
    "header": lambda unit: unit.open_message_keys(b"\1" + bytes(36)),
    "inspect": lambda unit: unit.inspect(b"\2" + bytes(36)),
    "no file": lambda unit: unit.decrypt("/no/such/file", "/no/such/target"),
    "no directory": lambda unit: unit.encrypt(io.BytesIO(b""), "/no/such/directory/letter.ndks"),
    "no network file": lambda unit: unit.join("/no/such/file"),
    "an argument": lambda unit: unit.key("one", 8),
}


@pytest.mark.parametrize("verb", REFUSED.values(), ids=REFUSED.keys())
def test_errors_are_the_same(alice: str, verb: Callable[[Any], Any]) -> None:
    with ndks.open(alice) as unit, pytest.raises(Exception) as expected:  # noqa: PT011 (compared below)
        verb(unit)
    with pytest.raises(Exception) as raised:  # noqa: PT011
        with_unit(alice, verb)
    assert type(raised.value) is type(expected.value)
    assert str(raised.value) == str(expected.value)
    assert getattr(raised.value, "advice", "") == getattr(expected.value, "advice", "")


@pytest.mark.parametrize("name", ["emulator:nobody", "emulator:", "/dev/nobody", "socket://nowhere.invalid:1", "0011"])
def test_errors_of_opening_are_the_same(name: str) -> None:
    with pytest.raises(ndks.NdksError) as expected:
        ndks.open(name)
    with pytest.raises(ndks.NdksError) as raised:
        with_unit(name, lambda unit: unit.status())
    assert (type(raised.value), str(raised.value)) == (type(expected.value), str(expected.value))


def test_a_closed_unit_says_so(each_line: str) -> None:
    async def work() -> None:
        unit = await ndks.aio.open(each_line)
        stream = unit.stream_key(1, 80_000)
        await anext(stream)
        await unit.close()
        await unit.close()
        verbs: list[Callable[[], Awaitable[Any]]] = [
            unit.next_index,
            unit.status,
            unit.eject,
            lambda: unit.seal(LETTER),
            lambda: anext(stream),
        ]
        for verb in verbs:
            with pytest.raises(ndks.UsageError, match="closed"):
                await verb()
        assert "closed" in repr(unit)
        async with await ndks.aio.open(each_line) as again:
            assert await again.next_index() == (0, 1)

    before = threading.active_count()
    asyncio.run(work())
    wait_until(lambda: threading.active_count() <= before, "the threads end")


@pytest.mark.parametrize("options", [(), ("--tcp", "0")], ids=["pty", "tcp"])
def test_a_unit_that_is_unplugged(alice: str, options: tuple[str, ...]) -> None:
    async def work(running: EmulateProcess) -> None:
        async with ndks.aio.open(running.port) as unit:
            asked = [asyncio.ensure_future(unit.key(9, 400_000)) for _ in range(3)]
            await unit.status()
            running.end(signal.SIGKILL)
            answers = await asyncio.gather(*asked, return_exceptions=True)
            assert {type(each) for each in answers} <= {ndks.Key, ndks.UnitRemoved}
            with pytest.raises(ndks.UnitRemoved):
                await unit.next_key(8)

    with emulated(Path(alice.removeprefix("emulator:")), *options) as running:
        asyncio.run(work(running))
    assert with_unit(alice, lambda unit: unit.next_index()) == (0, 1)


def test_a_silent_port() -> None:
    with answering_pty(silence) as port:
        with pytest.raises(ndks.UnitTimeout):
            with_unit(port, lambda unit: unit.status(), timeout=0.2)

        async def give_up() -> None:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ndks.aio.open(port), 0.1)

        asyncio.run(give_up())
