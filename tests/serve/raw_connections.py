# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""TLS connections on which a test says what it likes, and whether clients are refused."""

import contextlib
import socket
import ssl
import time

from .key_servers import HOST, PATIENCE, Client, Running

ENC, DEC = "/api/v1/keys/SAE_B/enc_keys", "/api/v1/keys/SAE_A/dec_keys"
CLOSED = ConnectionError, ssl.SSLError  # what send and recv raise once the server has closed a connection
BOTH = {"here": ["SAE_A", "SAE_B"], "there": ["SAE_C"]}


def plain(server: Running, name: str = "SAE_A") -> ssl.SSLSocket:
    """Return a connection on which a test says what it likes."""
    raw = socket.create_connection((HOST, server.port), PATIENCE)
    return server.client(name).context.wrap_socket(raw, server_hostname=HOST)


def until_end(connection: ssl.SSLSocket) -> bytes:
    found = b""
    with contextlib.suppress(*CLOSED):
        while piece := connection.recv(1 << 16):
            found += piece
    return found


def is_refused(client: Client) -> bool:
    """Whether TLS, or the first read after it (TLS 1.3), fails."""
    try:
        client.get("/api/v1/keys/SAE_B/status")
    except CLOSED:
        return True
    return False


def wait_for_connections(server: Running, count: int) -> None:
    end = time.monotonic() + PATIENCE
    while server.server.state().connections != count:
        assert time.monotonic() < end, f"there are not {count} connections"
        time.sleep(0.02)


ANY = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"


def is_open(connection: ssl.SSLSocket) -> bool:
    """Whether a request is answered; a server that is full has closed the connection meanwhile, or is about to."""
    try:
        connection.sendall(ANY)
        return connection.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
    except CLOSED:
        return False
