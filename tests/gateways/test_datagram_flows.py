# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Datagrams through both ends: from applications to a service and back, over a way that loses, reorders and repeats."""

import asyncio
import random
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from support.ports import free_port

from gateways.ends import HOST, World, run, until, world
from ndks_gateways.running import datagram_socket, flows
from ndks_gateways.running.datagram_socket import DatagramSocket
from ndks_gateways.running.settings import Address
from ndks_gateways.running.status import State


class Peer:
    """A UDP socket that notes what comes; `answer` makes the answer of it."""

    def __init__(self, answer: Callable[[bytes], bytes] | None = None, port: int = 0) -> None:
        self.received: list[bytes] = []
        self.sources: set[Any] = set()
        self._answer = answer
        self.socket = DatagramSocket(datagram_socket.bound(HOST, port), self._got)
        self.port = self.socket.address[1]

    def _got(self, data: memoryview, address: Any) -> None:
        self.received.append(bytes(data))
        self.sources.add(address)
        if self._answer:
            self.socket.send(self._answer(bytes(data)), address)

    def send(self, made: World, data: bytes) -> None:
        assert self.socket.send(data, (HOST, made.a.settings.inner.port))

    def close(self) -> None:
        self.socket.close()


class Way:
    """Brings datagrams from A to B and back; `fate` says how often each goes, now and later."""

    def __init__(self, port: int, target: int, fate: Callable[[], tuple[int, int]]) -> None:
        self._fate = fate
        self._late: list[Callable[[], object]] = []
        self.passed: list[bytes] = []
        self._a: Any = None
        self._target = (HOST, target)
        self._front = DatagramSocket(datagram_socket.bound(HOST, port), self._from_a)
        self._back = DatagramSocket(datagram_socket.bound(HOST, 0), self._from_b)

    def _from_a(self, data: memoryview, address: Any) -> None:
        self._a = address
        self._bring(bytes(data), lambda packet: self._back.send(packet, self._target))

    def _from_b(self, data: memoryview, address: Any) -> None:
        self._bring(bytes(data), lambda packet: self._front.send(packet, self._a))

    def _bring(self, packet: bytes, send: Callable[[bytes], object]) -> None:
        self.passed.append(packet)
        now, later = self._fate()
        for _ in range(now):
            send(packet)
        self._late += [lambda: send(packet)] * later
        if len(self._late) > 20:
            self.release()

    def release(self) -> None:
        late, self._late = self._late, []
        for each in reversed(late):
            each()

    def replay(self) -> None:
        for packet in self.passed:
            self._back.send(packet, self._target)

    def close(self) -> None:
        self._front.close()
        self._back.close()


def test_datagrams_of_all_sizes_go_through_and_back_by_flow():
    async def work() -> None:
        service = Peer(lambda data: data[::-1])
        async with world(udp=True, through_proxy=False, target=service.port) as made:
            await made.b.linked()
            await until(lambda: sends(made))
            applications = [Peer() for _ in range(5)]
            sizes = 0, 1, 1472, 9000, 65000
            for application in applications:
                for size in sizes:
                    application.send(made, random.randbytes(size))
                await until(lambda one=application: len(one.received) == len(sizes))
                assert [len(each) for each in application.received] == list(sizes)
            assert len(service.sources) == 5
            assert made.a.end.flows == made.b.end.flows == 5
            for each in applications:
                each.close()
        service.close()

    run(work)


def sends(made: World) -> bool:
    """Whether the ends have said which keys they have, and B has found the service."""
    return all(side.end.udp._datagrams._sending for side in (made.a, made.b)) and bool(made.b.end.udp.flows._host)


@pytest.mark.parametrize("has_udp", [(True, False), (False, True), (True, True), (False, False)], ids=str)
def test_both_ends_say_that_udp_is_at_one_end_only(has_udp: tuple[bool, bool]):
    async def work() -> None:
        async with world(udp=has_udp[0], udp_at_b=has_udp[1]) as made:
            states = [State(one.settings, one.store, one.gate, one.end, one.tally) for one in (made.a, made.b)]
            for cuts in range(2):  # a new link, and a resumed one
                if cuts:
                    made.proxy.cut()
                    await until(lambda: made.a.tally.cuts == 1)
                await until(lambda: all(side.end.link for side in (made.a, made.b)))
                for state, here, there in zip(states, has_udp, reversed(has_udp), strict=True):
                    assert (state.udp_problem is not None) == (here != there)
                    assert ("; no datagram passes: " in state.line()) == (here != there)
                    assert ("start this end with --udp" in state.line()) == (there > here)
                    assert ("start the other end with --udp" in state.line()) == (here > there)

    run(work)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_answers_come_from_the_address_that_was_asked(host: str):
    """A gateway with several addresses that listens at all of them."""

    async def work() -> None:
        of_all: list[DatagramSocket] = []
        answering = DatagramSocket(
            datagram_socket.bound(host, 0), lambda data, address: of_all[0].send(bytes(data)[::-1], address)
        )
        of_all.append(answering)
        for at in ("127.0.0.1", "127.0.0.7") if host == "0.0.0.0" else ("::1",):
            got: list[bytes] = []
            asking = DatagramSocket(
                datagram_socket.connected(at, answering.address[1]), lambda data, _, got=got: got.append(bytes(data))
            )
            assert asking.send(b"abc")
            await until(lambda got=got: got == [b"cba"])
            asking.close()
        answering.close()

    run(work)


@pytest.mark.parametrize(
    ("name", "host"),
    [
        (("192.0.2.1", 7701), "192.0.2.1"),
        (("2001:db8::1", 7701, 0, 0), "2001:db8::1"),
        (("fe80::1", 7701, 0, 3), "fe80::1%3"),
    ],
)
def test_a_link_local_address_names_its_interface(name: tuple[str, int], host: str):
    """Without it no datagram can be sent there, to the other gateway or to a service."""

    async def work() -> None:
        async with world() as made:
            await made.a.linked()
            link = made.a.end._switch.newest
            link._name = name
            assert link.host == host
            assert link.address == str(Address(host, 7701))
            found = [(socket.AF_INET6, socket.SOCK_DGRAM, 17, "", name)]
            to = flows.ExitFlows(Address(host, 7701), lambda _flow, _data: None)
            to._loop = FakeLoop(found)
            await to._looked_up()
            assert to._host == host
            to.close()

    run(work)


class FakeLoop:
    """Finds an address for each name."""

    def __init__(self, found: list[tuple[int, int, int, str, tuple[str, int]]]) -> None:
        self._found = found

    async def getaddrinfo(self, *_: object, **__: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return self._found


def test_what_is_lost_reordered_or_repeated_on_the_way_comes_once_at_most():
    async def work() -> None:
        chance = random.Random(3)
        service = Peer()
        outer = free_port()
        async with world(udp=True, through_proxy=False, target=service.port, outer=outer, way=True) as made:
            way = Way(
                made.a.settings.outer.port,
                outer,
                lambda: chance.choice([(0, 0), (1, 0), (2, 0), (1, 1), (0, 1), (0, 2)]),
            )
            await until(lambda: sends(made))
            application = Peer()
            sent = [number.to_bytes(4, "big") for number in range(500)]
            for at in range(0, len(sent), 20):
                for each in sent[at : at + 20]:
                    application.send(made, each)
                await asyncio.sleep(0.002)  # the system's buffers are small
            way.release()
            await until(lambda: len(service.received) > 250)
            count = -1
            while count != len(service.received):
                count = len(service.received)
                await asyncio.sleep(0.1)
            assert count < 500
            assert set(Counter(service.received).values()) == {1}
            assert set(service.received) < set(sent)
            for _ in range(2):  # the first time, what was lost may be among it
                dropped = made.b.tally.datagrams_dropped
                way.replay()
                await until(lambda before=dropped: made.b.tally.datagrams_dropped > before + 200)
                assert set(Counter(service.received).values()) == {1}
            application.close()
            way.close()
        service.close()

    run(work)


def test_datagrams_go_on_over_new_links():
    async def work() -> None:
        service = Peer(lambda data: data)
        async with world(udp=True, through_proxy=False, target=service.port) as made:
            await until(lambda: sends(made))
            application = Peer()
            for number in range(3):
                application.send(made, bytes([number]))
                await until(lambda count=number: len(application.received) == count + 1)
                made.a.end._linking.renew()
                await until(lambda count=number: made.b.tally.full == count + 2)
            application.close()
        service.close()

    run(work)


def test_a_flow_that_is_idle_ends(monkeypatch: pytest.MonkeyPatch):
    async def work() -> None:
        monkeypatch.setattr(flows, "_LOOK", 0.05)
        service = Peer(lambda data: data)
        async with world(udp=True, through_proxy=False, target=service.port) as made:
            await until(lambda: sends(made))
            application = Peer()
            for _ in range(2):
                application.received.clear()
                application.send(made, b"x")
                await until(lambda: application.received == [b"x"])
                assert made.a.end.flows == made.b.end.flows == 1
                with monkeypatch.context() as patch:
                    patch.setattr(flows, "IDLE", 0.0)
                    await until(lambda: made.a.end.flows == made.b.end.flows == 0)
            assert len(service.sources) == 2
            application.close()
        service.close()

    run(work)


def test_flows_have_a_bound(monkeypatch: pytest.MonkeyPatch):
    async def work() -> None:
        monkeypatch.setattr(flows, "MOST", 3)
        service = Peer(lambda data: data)
        async with world(udp=True, through_proxy=False, target=service.port) as made:
            await until(lambda: sends(made))
            applications = [Peer() for _ in range(6)]
            for each in applications:
                each.send(made, b"x")
                await until(lambda one=each: one.received == [b"x"])
            assert made.a.end.flows == made.b.end.flows == 3
            for each in applications:
                each.close()
        service.close()

    run(work)
