# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packets as datagrams, to peers and to a group, on the loopback interface."""

import contextlib
import errno
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.ports import free_port

from carriers.inbox import Inbox, wait_until
from ndks.carriers import udp
from ndks.carriers.carrier import CarrierError
from ndks.carriers.udp import UdpCarrier
from ndks.exceptions import UsageError

GROUP = "239.192.7.7"


@contextlib.contextmanager
def carrying(url: str, inbox: Inbox) -> Iterator[UdpCarrier]:
    carrier = UdpCarrier(url)
    carrier.start(inbox)
    try:
        yield carrier
    finally:
        carrier.close()


def test_peers_get_each_packet_once():
    ports = [free_port() for _ in range(3)]
    inboxes = [Inbox() for _ in ports]
    with contextlib.ExitStack() as stack:
        carriers: list[UdpCarrier] = []
        for own, inbox in zip(ports, inboxes, strict=True):
            peers = "&".join(f"peer=127.0.0.1:{port}" for port in ports if port != own)
            carriers.append(stack.enter_context(carrying(f"udp://127.0.0.1:{own}?{peers}", inbox)))
        sent = [os.urandom(size) for size in (1, 78, carriers[0].largest)]
        for packet in sent:
            assert carriers[0].send(packet)
        assert [[inbox.next() for _ in sent] for inbox in inboxes[1:]] == [sent, sent]
        assert [inbox.rest(0.5) for inbox in inboxes] == [[], [], []]


def test_a_group_gets_each_packet_once_and_the_sender_none():
    port = free_port()
    url = f"udp://{GROUP}:{port}?interface=127.0.0.1&ttl=0"
    inboxes = [Inbox() for _ in range(3)]
    with contextlib.ExitStack() as stack:
        carriers = [stack.enter_context(carrying(url, inbox)) for inbox in inboxes]
        carriers[1].send(b"to all")
        assert [inboxes[0].next(), inboxes[2].next()] == [b"to all", b"to all"]
        assert [inbox.rest(0.5) for inbox in inboxes] == [[], [], []]


def test_a_peer_that_is_away_is_no_reason_to_stop():
    own, peer = free_port(), free_port()
    with carrying(f"udp://127.0.0.1:{own}?peer=127.0.0.1:{peer}", Inbox()) as carrier:
        for _ in range(3):
            assert carrier.send(b"nobody hears it")
        inbox = Inbox()
        with carrying(f"udp://127.0.0.1:{peer}?peer=127.0.0.1:{own}", inbox):
            carrier.send(b"heard")
            carrier.send(b"heard too")  # the system may tell of the refused ones with the first
            assert inbox.next() == b"heard too" or inbox.next() == b"heard too"


def test_an_address_in_use_is_named():
    own, peer = free_port(), free_port()
    url = f"udp://127.0.0.1:{own}?peer=127.0.0.1:{peer}"
    with carrying(url, Inbox()), pytest.raises(CarrierError, match=f"cannot listen at 127.0.0.1:{own}"):
        UdpCarrier(url).start(Inbox())


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("udp://127.0.0.1:7000", "no peer is named"),
        (f"udp://{GROUP}:7000?peer=127.0.0.1:7001", "a group needs no peers"),
        (f"udp://{GROUP}", "must name a port"),
        ("udp://localhost:7000?peer=127.0.0.1:1", "must name an IP address"),
        ("udp://127.0.0.1:7000?peer=127.0.0.1", "HOST:PORT"),
        (f"udp://{GROUP}:7000?ttl=900", "a ttl is 0 to 255"),
    ],
)
def test_urls_that_are_refused(url: str, says: str):
    with pytest.raises(UsageError, match=says):
        UdpCarrier(url)


def test_a_name_that_resolves_slowly_holds_nobody_up(monkeypatch: pytest.MonkeyPatch):
    ports = [free_port() for _ in range(3)]
    resolve, may_answer = socket.getaddrinfo, threading.Event()

    def slow(host: str, *rest: Any, **more: Any) -> Any:
        if host == "slow.example" and not more["flags"] & socket.AI_NUMERICHOST:
            may_answer.wait()
            return resolve("127.0.0.1", *rest, **more)
        if host == "nowhere.example":
            raise socket.gaierror(-2, "Name or service not known")
        return resolve(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    names = f"peer=slow.example:{ports[1]}&peer=127.0.0.1:{ports[2]}"
    slow_one, quick = Inbox(), Inbox()
    with (
        carrying(f"udp://127.0.0.1:{ports[0]}?{names}&peer=nowhere.example:1", Inbox()) as carrier,
        carrying(f"udp://127.0.0.1:{ports[1]}?peer=127.0.0.1:{ports[0]}", slow_one),
        carrying(f"udp://127.0.0.1:{ports[2]}?peer=127.0.0.1:{ports[0]}", quick),
    ):
        carrier.send(b"first")
        assert quick.next() == b"first"
        may_answer.set()
        wait_until(lambda: carrier.send(b"later") and slow_one.rest(0.1))
        wait_until(lambda: carrier.send(b"later") and "nowhere.example" in str(carrier.problem))
        assert carrier.has_room


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_peers_of_ipv6():
    ports = [free_port() for _ in range(2)]
    inbox = Inbox()
    with (
        carrying(f"udp://[::1]:{ports[0]}?peer=[::1]:{ports[1]}", Inbox()) as carrier,
        carrying(f"udp://[::1]:{ports[1]}?peer=[::1]:{ports[0]}", inbox),
    ):
        carrier.send(b"packet")
        assert inbox.next() == b"packet"


def test_a_thread_that_fails_goes_on(monkeypatch: pytest.MonkeyPatch):
    own, peer = free_port(), free_port()
    inbox = Inbox()
    with (
        carrying(f"udp://127.0.0.1:{own}?peer=127.0.0.1:{peer}", Inbox()) as carrier,
        carrying(f"udp://127.0.0.1:{peer}?peer=127.0.0.1:{own}", inbox) as other,
    ):
        fails = [0]

        def fail(_: int) -> bytes:
            fails[0] += 1
            raise OSError(errno.ENETDOWN, "the network is down")

        with monkeypatch.context() as patch:
            patch.setattr(other, "_socket", Fake(other._socket, fail))
            wait_until(lambda: fails[0])
            began, before = time.monotonic(), fails[0]
            time.sleep(1)
        assert fails[0] - before < 30 * (time.monotonic() - began)
        carrier.send(b"packet")
        assert inbox.next() == b"packet"


class Fake:
    """A socket that fails to receive."""

    def __init__(self, real: socket.socket, recv: Callable[[int], bytes]) -> None:
        self.real, self.recv = real, recv

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)


def test_it_finds_out_by_itself_when_datagrams_leave_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(udp, "_PROBE", 0.05)
    ports = [free_port() for _ in range(2)]
    inbox = Inbox()
    with (
        carrying(f"udp://127.0.0.1:{ports[0]}?peer=127.0.0.1:{ports[1]}", Inbox()) as carrier,
        carrying(f"udp://127.0.0.1:{ports[1]}?peer=127.0.0.1:{ports[0]}", inbox),
    ):
        with monkeypatch.context() as cut:
            cut.setattr(UdpCarrier, "_send_to", lambda *_: CarrierError("no route"))
            carrier.send(b"lost")
            assert not carrier.has_room
        wait_until(lambda: carrier.has_room)
        carrier.send(b"packet")
        assert inbox.next() == b"packet"
