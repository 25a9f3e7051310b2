# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two requests that belong together: a number or a key of a message, between which the unit does nothing else."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from support.emulate_process import PATIENCE, emulated
from support.public_network import public_network
from support.serve_process import served
from unit.other_member import header_of

import ndks
from ndks.driver.owner import Owner
from ndks.laptop.bindings import BindingStore
from ndks.line.link import Link
from ndks.service.hold import Hold
from ndks.service.order import OF_MESSAGES, Job, Order, Outcome
from ndks_protocol import commands, errors
from ndks_protocol.commands import AES, DATA

from . import virtual

ROUNDS = 15


class Pair:
    """A number taken for no message: SEAL_KEYS, then STATUS."""

    def __init__(self, token: bytes) -> None:
        self.outcomes: list[Outcome] = []
        begin = commands.SEAL_KEYS.request.pack(token, AES, DATA, bytes(8))
        self.job = Job(commands.SEAL_KEYS, begin, self, OF_MESSAGES, self.outcomes.append, follow=self._follow)

    def _follow(self, _: bytes) -> Job:
        return Job(commands.STATUS, b"", self, OF_MESSAGES, self.outcomes.append, is_durable=True)


@pytest.fixture
def link(tmp_path: Path) -> Link:
    return Link(virtual.member(BindingStore(tmp_path, look=lambda **_: ())), 1.0)


@pytest.fixture
def order() -> Order:
    return Order()


@pytest.fixture
def hold(link: Link, order: Order, tmp_path: Path) -> Hold:
    hold = Hold(order, link, Owner(link, BindingStore(tmp_path, look=lambda **_: ())), lambda _: None, lambda _: None)
    hold.open_session()
    return hold


def test_nothing_comes_between_two_requests(hold: Hold, order: Order) -> None:
    pairs = [Pair(bytes([number]) * 8) for number in range(3)]
    for pair in pairs:
        order.put(pair.job)
    for _ in range(20):
        if job := hold.take():
            hold.begin(job)
        elif hold.is_working:
            hold.receive()
    numbers = [commands.STATUS.answer.unpack(pair.outcomes[1])[-1] for pair in pairs]  # type: ignore[arg-type]
    assert numbers == [1, 2, 3]


def test_the_second_request_is_of_the_same_session(hold: Hold, order: Order, link: Link) -> None:
    pair = Pair(bytes(8))
    hold.begin(pair.job)
    while not pair.outcomes:
        hold.receive()
    link.end_session()
    hold.abandon()
    assert pair.outcomes[1:] == [errors.SESSION_ENDED]
    assert order.take(0, 0) is None


def test_numbers_and_messages_beside_each_other_at_a_port(tmp_path: Path) -> None:
    """No gateway is connected, so the unit has two requests at a time."""
    network, found, failed = public_network(), list[int](), list[Exception]()

    def work(port: str, number: Callable[[ndks.Unit], int]) -> None:
        try:
            with ndks.open(port) as client:
                for _ in range(ROUNDS):
                    found.append(number(client))
        except ndks.NdksError as error:
            failed.append(error)

    with emulated(tmp_path / "unit") as unit:
        with ndks.open(unit.port) as opened:
            opened.bind(opened.provision(network, 1))
        with served(unit.port) as service:
            kinds: list[tuple[str, Callable[[ndks.Unit], int]]] = [
                ("admin", lambda client: client.take_number().number),
                ("keys", lambda client: header_of(network, client.seal(b"x", cipher="aes")).number),
            ]
            threads = [threading.Thread(target=work, args=(service.port(scope), number)) for scope, number in kinds * 2]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(PATIENCE)
    assert (sorted(found), failed) == (list(range(1, len(threads) * ROUNDS + 1)), [])
