# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tunnels whose contents are capsules that the units seal and open."""

import asyncio
import random
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.emulate_process import PATIENCE

from ndks.exceptions import DeviceError
from ndks_gateways.held import UnitAway
from ndks_gateways.running import capsules, sockets
from ndks_gateways.running.capsules import MOST_PLAIN, most_plain, size_of
from ndks_gateways.running.settings import Address
from ndks_gateways.running.sockets import Sockets
from ndks_gateways.running.tally import Tally
from ndks_gateways.tunnel import frames
from ndks_gateways.tunnel.streams import WINDOW, Streams
from ndks_protocol import errors

from .crashing import Echo, Server
from .ends import HOST, Service, run, until
from .gateway_process import Gateway, pair
from .members import Founded, founded

DATA = random.Random(1).randbytes(20_000)
RECORDS = ["capsule-aes", "capsule-vernam"]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Founded]:
    with founded(tmp_path_factory.mktemp("network")) as network:
        yield network


@pytest.fixture
def ends(network: Founded) -> Iterator[tuple[Gateway, Gateway, int]]:
    a, b = network.members
    with tempfile.TemporaryDirectory(prefix="ndks-") as short, Server(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pair(Path(short), (a.gate, b.gate), server.port) as made:
            yield made
        server.shutdown()


def start(ends: tuple[Gateway, Gateway, int], *records: str) -> None:
    for end, record in zip(ends[:2], records, strict=True):
        end.words = (*end.words, "--record", record)
        end.start()


def echoed(port: int, data: bytes) -> bytes:
    """Send data and an end, and return what comes back until the end."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        threading.Thread(target=_send, args=(connection, data), daemon=True).start()
        with connection.makefile("rb") as answer:
            return answer.read()


def _send(connection: socket.socket, data: bytes) -> None:
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("record", RECORDS)
def test_what_was_sent_arrives(ends: tuple[Gateway, Gateway, int], record: str) -> None:
    a, b, port = ends
    start(ends, record, record)
    assert echoed(port, DATA) == DATA
    assert echoed(port, b"") == b""
    assert echoed(port, b"x") == b"x"
    for end in (a, b):
        values = end.status()
        assert values["record"] == record
        assert values["rate"] > 0
        assert values["bytes"]["sent"] == len(DATA) + 1
        assert f"{record}: each record is sealed by the unit" in end.ask("status").stdout


def test_connections_at_once(ends: tuple[Gateway, Gateway, int]) -> None:
    start(ends, "capsule-vernam", "capsule-vernam")
    ends[0].wait_for_link()
    wrong: list[int] = []

    def use(number: int) -> None:
        data = random.Random(number).randbytes(5_000)
        if echoed(ends[2], data) != data:
            wrong.append(number)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert wrong == []


@pytest.mark.parametrize("number", [0, 1])
def test_a_unit_that_is_unplugged(network: Founded, ends: tuple[Gateway, Gateway, int], number: int) -> None:
    start(ends, "capsule-vernam", "capsule-vernam")
    ends[0].wait_for_link()
    control = network.members[number].control
    with socket.create_connection(("127.0.0.1", ends[2]), PATIENCE) as connection:
        connection.sendall(DATA)
        got = connection.recv(1)
        control.do("cable out")
        ends[:2][number].wait(lambda values: not values["unit"]["present"], "the unit is away")
        control.do("cable in")
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            got += answer.read()
    assert got == DATA


def test_the_unit_that_seals_enters_a_generation_first(network: Founded, ends: tuple[Gateway, Gateway, int]) -> None:
    """A member joins: what the other unit does not know yet waits until it does, and nothing is lost."""
    start(ends, RECORDS[0], RECORDS[0])
    a, b, port = ends
    a.wait_for_link()
    here, there = network.members
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(b"before")
        assert connection.recv(100) == b"before"
        bundle = network.administrator.issue()
        here.enter(bundle)
        a.wait(lambda values: values["unit"]["generation"] == bundle.g, "the first gateway knows the generation")
        connection.sendall(b"after")
        time.sleep(1)  # for the capsule to be refused there
        there.enter(bundle)
        connection.settimeout(PATIENCE)
        assert connection.recv(100) == b"after"
    assert "CAPSULE" not in b.log


class Gate:
    """A unit that never knows a capsule, and of which there is no news."""

    changes = asked = 0

    async def call(self, _verb: object) -> bytes:
        self.asked += 1
        raise DeviceError(errors.HEADER)

    async def wait_change(self, _known: int) -> int:
        return await asyncio.get_running_loop().create_future()


def test_what_no_generation_explains_is_refused_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of them has its time; those after it are refused at once."""

    async def work() -> None:
        monkeypatch.setattr(capsules, "_BEHIND_FOR", 0.2)
        refused: list[float] = []
        opening = capsules.Capsules(Gate(), "aes", Tally())
        running = asyncio.create_task(opening.run())
        begun = time.monotonic()
        for _ in range(3):
            opening.open(b"capsule", pytest.fail, lambda _: refused.append(time.monotonic() - begun))
        await until(lambda: len(refused) == 3)
        running.cancel()
        assert refused[0] >= 0.2
        assert refused[2] - refused[0] < 0.15

    run(work)


class LateGate:
    """A unit that is unplugged before it enters the generation of a capsule, and enters it after it has come back."""

    changes = 0

    def __init__(self) -> None:
        self._answers = iter([DeviceError(errors.HEADER), UnitAway("unplugged"), DeviceError(errors.HEADER)])

    async def call(self, _verb: object) -> bytes:
        for error in self._answers:
            raise error
        return b"data"

    async def wait_change(self, known: int) -> int:
        await asyncio.sleep(0.01)
        return known

    async def wait_present(self) -> None:
        await asyncio.sleep(0.4)


def test_the_time_of_a_capsule_begins_when_the_unit_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        monkeypatch.setattr(capsules, "_BEHIND_FOR", 0.2)
        monkeypatch.setattr(capsules, "_PAUSE", 0.0)
        opening = capsules.Capsules(LateGate(), "aes", Tally())
        running = asyncio.create_task(opening.run())
        opened: list[bytes] = []
        opening.open(b"capsule", opened.append, opened.append)
        await until(lambda: opened)
        running.cancel()
        assert opened == [b"data"]

    run(work)


def test_ends_that_seal_in_different_ways_do_not_meet(ends: tuple[Gateway, Gateway, int]) -> None:
    start(ends, "capsule-aes", "aes")
    ends[0].wait(lambda values: values["code"] == "LINK_CLOSED", "it is refused")
    ends[1].wait(lambda values: values["handshakes"]["failed"].get("NO_DOOR"), "no door fits")
    assert ends[0].status()["link"] is None


def test_datagrams_are_refused(ends: tuple[Gateway, Gateway, int]) -> None:
    finished = ends[0].ask("web", *ends[0].words, "--udp", "--record", "capsule-aes")
    assert finished.returncode == 2
    assert "--udp" in finished.stderr


class Out:
    """Where frames go."""

    may_send = is_idle = True

    def __init__(self) -> None:
        self.counted: list[bytes] = []

    def count(self, frame: bytes) -> None:
        self.counted.append(frame)


class Refusing:
    """A unit that opens each capsule but one."""

    def open(self, capsule: bytes, done: Callable[[bytes], object], refused: Callable[[bytes], object]) -> None:
        (refused if capsule == b"refused" else done)(capsule)

    def after_opening(self, do: Callable[[], object]) -> None:
        do()


def test_a_service_that_answers_late_gets_nothing_after_a_capsule_that_was_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def work() -> None:
        heard = asyncio.Event()

        async def serve(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            heard.set()

        service, late = Service(serve), asyncio.Event()
        where = Address(HOST, await service.listen())
        call = sockets.call

        async def answered_late(made: Callable[[], asyncio.BaseProtocol], where: Address) -> None:
            await late.wait()
            await call(made, where)

        monkeypatch.setattr(sockets, "call", answered_late)
        out, streams = Out(), Streams(opens=False)
        streams.meet(WINDOW)
        tested = Sockets(streams, out, where, Tally(), Refusing())
        content = (frames.OPEN, b""), (frames.DATA, b"refused"), (frames.DATA, b"opened"), (frames.FIN, b"")
        for kind, data in content:
            tested.receive(frames.parse(frames.frame(kind, 1, data)))
        late.set()
        await asyncio.sleep(0.1)
        assert out.counted == [frames.frame(frames.RESET, 1)]
        assert not heard.is_set()
        assert not len(tested)
        await service.close()

    run(work)


def test_sizes() -> None:
    for plain in (1, 7, 1008, 1009, MOST_PLAIN - 1, MOST_PLAIN):
        for credit in (size_of(plain) - 1, size_of(plain), size_of(plain) + 1):
            most = most_plain(credit)
            assert 0 <= most <= MOST_PLAIN
            assert most == 0 or size_of(most) <= credit
    assert most_plain(size_of(MOST_PLAIN)) == most_plain(1 << 20) == MOST_PLAIN
    assert most_plain(0) == most_plain(size_of(1) - 2) == 0
