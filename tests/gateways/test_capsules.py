# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tunnels whose contents are capsules that the units seal and open."""

import random
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.emulate_process import PATIENCE

from ndks_gateways.running.capsules import MOST_PLAIN, most_plain, size_of

from .crashing import Echo, Server
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


def test_ends_that_seal_in_different_ways_do_not_meet(ends: tuple[Gateway, Gateway, int]) -> None:
    start(ends, "capsule-aes", "aes")
    ends[0].wait(lambda values: values["code"] == "LINK_CLOSED", "it is refused")
    ends[1].wait(lambda values: values["handshakes"]["failed"].get("NO_DOOR"), "no door fits")
    assert ends[0].status()["link"] is None


def test_datagrams_are_refused(ends: tuple[Gateway, Gateway, int]) -> None:
    finished = ends[0].ask("web", *ends[0].words, "--udp", "--record", "capsule-aes")
    assert finished.returncode == 2
    assert "--udp" in finished.stderr


def test_sizes() -> None:
    for plain in (1, 7, 1008, 1009, MOST_PLAIN - 1, MOST_PLAIN):
        for credit in (size_of(plain) - 1, size_of(plain), size_of(plain) + 1):
            most = most_plain(credit)
            assert 0 <= most <= MOST_PLAIN
            assert most == 0 or size_of(most) <= credit
    assert most_plain(size_of(MOST_PLAIN)) == most_plain(1 << 20) == MOST_PLAIN
    assert most_plain(0) == most_plain(size_of(1) - 2) == 0
