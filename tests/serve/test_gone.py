# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Clients that leave in the midst of a request, each in a way of its own: it is no bug, and is not logged as one."""

import logging
import socket
import ssl
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from .key_servers import HOST, PATIENCE, running
from .sites import until

HEAD = b"POST /api/v1/keys/SAE_B/enc_keys HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"


def reset(connection: ssl.SSLSocket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def talk_nonsense(connection: ssl.SSLSocket) -> None:
    socket.socket.send(connection, b"\x17\x03\x03\x00\x20" + bytes(32))  # below TLS: a record that nobody has sealed


def say_nothing(connection: ssl.SSLSocket) -> None:
    pass


def end(connection: ssl.SSLSocket) -> None:
    socket.socket.shutdown(connection, socket.SHUT_WR)  # without the farewell of TLS


@pytest.mark.parametrize("leave", [reset, talk_nonsense, say_nothing, end])
def test_in_the_midst_of_a_body(
    leave: Callable[[ssl.SSLSocket], object], certificates: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(certificates) as server:
        raw = socket.create_connection((HOST, server.port), PATIENCE)
        with server.client("SAE_A").context.wrap_socket(raw, server_hostname=HOST) as connection:
            connection.sendall(HEAD)
            server.call(until(lambda: server.server._clients._answering))
            leave(connection)
        server.call(until(lambda: not server.server._clients._answering))
        assert server.client("SAE_A").get("/openapi.json").status == 200
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("who", ["SAE_A", "NOBODY"])
def test_with_many_requests_under_way(who: str, certificates: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running(certificates) as server:
        raw = socket.create_connection((HOST, server.port), PATIENCE)
        with server.client(who).context.wrap_socket(raw, server_hostname=HOST) as connection:
            connection.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
            socket.socket.shutdown(connection, socket.SHUT_WR)
            server.call(until(lambda: not server.server._clients.count))
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING] == []
