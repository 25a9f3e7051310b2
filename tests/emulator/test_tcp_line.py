# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Tests of the TCP port of an emulated unit: one host at a time, then the next."""

import select
import socket
from collections.abc import Iterator

import pytest
from emulator.receiving import receive
from support.emulate_process import PATIENCE, wait_until

from ndks_emulator import TcpLine, lines


@pytest.fixture
def line() -> Iterator[TcpLine]:
    line = TcpLine(0)
    yield line
    line.close()


def connect(line: TcpLine) -> socket.socket:
    return socket.create_connection(("127.0.0.1", line.port), timeout=PATIENCE)


def accept(line: TcpLine) -> None:
    wait_until(lambda: line.read() or line.connected, "the host is seen")


def was_turned_away(host: socket.socket) -> bool:
    try:
        return host.recv(1) == b""
    except ConnectionError:
        return True


def test_bytes_pass_in_both_directions(line: TcpLine) -> None:
    with connect(line) as host:
        host.sendall(bytes(range(256)))
        assert receive(line, 256) == bytes(range(256))
        line.write(b"answer")
        assert host.recv(100) == b"answer"


def test_only_this_machine_is_listened_to(line: TcpLine) -> None:
    assert line._listener.getsockname()[0] == "127.0.0.1"


def test_second_host_is_turned_away_and_the_first_stays(line: TcpLine) -> None:
    with connect(line) as first:
        accept(line)
        with connect(line) as second:
            wait_until(lambda: line.read() or select.select([second], [], [], 0)[0], "the second host is seen")
            assert was_turned_away(second)
        first.sendall(b"still here")
        assert receive(line, 10) == b"still here"


def test_next_host_is_welcome_after_the_first_has_left(line: TcpLine) -> None:
    for message in (b"one", b"two", b"three"):
        with connect(line) as host:
            host.sendall(message)
            assert receive(line, len(message)) == message
        wait_until(lambda: line.read() or not line.connected, "the host's leaving is seen")


def test_next_host_is_welcome_though_the_leaving_was_not_seen_yet(line: TcpLine) -> None:
    # A unit that computes a key does not poll its line; meanwhile one program ends and the next one starts.
    connect(line).close()
    accept(line)
    with connect(line) as host:
        host.sendall(b"next")
        assert receive(line, 4) == b"next"
        line.write(b"welcome")
        assert host.recv(100) == b"welcome"


def test_host_that_does_not_read_is_given_up(line: TcpLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "WRITE_TIMEOUT", 0.2)
    with connect(line) as host:
        accept(line)
        line.write(bytes(1 << 24))
        assert not line.connected
        assert host.recv(1) == b"\0"
    with connect(line):
        accept(line)


def test_writing_to_nobody_does_nothing(line: TcpLine) -> None:
    line.write(b"to nobody")
    host = connect(line)
    accept(line)
    host.close()
    for _ in range(100):  # the first writes may still fit into the buffers
        line.write(b"gone")
    assert not line.connected


def test_port_in_use_raises(line: TcpLine) -> None:
    with pytest.raises(OSError, match="in use"):
        TcpLine(line.port)


def test_next_host_waits_until_all_of_the_first_was_read_and_its_leaving_seen(line: TcpLine) -> None:
    with connect(line) as first:
        accept(line)
        first.sendall(b"last words")
    with connect(line) as host:
        assert receive(line, 10) == b"last words"
        assert line.read() == b""
        assert not line.connected
        accept(line)
        line.write(b"welcome")
        assert host.recv(100) == b"welcome"


def test_drop_hangs_up_on_all_and_stays(line: TcpLine) -> None:
    with connect(line) as host, connect(line) as waiting:
        accept(line)
        line.drop()
        assert not line.connected
        assert was_turned_away(host)
        assert was_turned_away(waiting)
    with connect(line):
        accept(line)


def test_closed_line_refuses_hosts_until_it_is_plugged_in_again(line: TcpLine) -> None:
    with connect(line) as host:
        accept(line)
        port = line.port
        line.close()
        line.close()
        assert was_turned_away(host)
    with pytest.raises(ConnectionRefusedError):
        connect(line)
    line.plug()
    assert line.address == f"socket://127.0.0.1:{port}"
    with connect(line):
        accept(line)


def test_writing_ends_when_the_caller_says_so(line: TcpLine) -> None:
    with connect(line):
        accept(line)
        asked: list[bool] = []
        assert not line.write(bytes(1 << 26), lambda: asked.append(True) or len(asked) < 30)
        assert len(asked) == 30
        assert not line.connected, "half a frame was sent"
