# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""TLS handshakes that fail: counted in /metrics, and told in the log, however many there are."""

import asyncio
import contextlib
import logging
import re
import socket
import ssl
from collections import Counter
from pathlib import Path

import pytest
import trustme

from ndks_gateways.serving import handshakes
from ndks_gateways.serving.handshakes import Handshakes

from .key_servers import HOST, PATIENCE, Running, running
from .sites import until

NO_CERTIFICATE, NO_TLS = "peer did not return a certificate", "wrong version number"
UNKNOWN_CA = "unable to get local issuer certificate"
SLOW, LOST = "took too long", "connection lost"


def fail(server: Running, name: str | None, directory: Path | None = None) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        server.client(name, directory).get("/openapi.json")


def say(server: Running, text: bytes) -> None:
    with socket.create_connection((HOST, server.port), PATIENCE) as connection:
        connection.sendall(text)
        with contextlib.suppress(ConnectionError):
            while connection.recv(1 << 16):
                pass


def counts(server: Running) -> dict[str, int]:
    _, text = server.monitor("/metrics")
    found = re.findall(r'^ndks_serve_failed_handshakes_total\{reason="([a-z -]+)"\} (\d+)$', text, re.MULTILINE)
    assert len(found) == text.count("ndks_serve_failed_handshakes_total{")
    return {reason: int(count) for reason, count in found}


def test_they_are_counted_by_reason_and_told_once_a_minute(
    certificates: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    issued = trustme.CA().issue_cert(common_name="SAE_A")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "SAE_A.crt")
    issued.private_key_pem.write_to_path(tmp_path / "SAE_A.key")
    (tmp_path / "ca.crt").write_bytes((certificates / "ca.crt").read_bytes())
    with running(certificates) as server:
        assert counts(server) == {}
        for _ in range(3):
            fail(server, None)
        fail(server, "SAE_A", tmp_path)
        say(server, b"\x1b[31m\xff\nGET / HTTP/1.1\r\n\r\n")
        with server.client("SAE_A").context.wrap_socket(
            socket.create_connection((HOST, server.port), PATIENCE), server_hostname=HOST
        ):
            pass  # one that succeeds
        assert counts(server) == {NO_CERTIFICATE: 3, UNKNOWN_CA: 1, NO_TLS: 1}
        first = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
        assert first == [f"TLS handshakes of clients that failed: 1 ({NO_CERTIFICATE}: 1)"]
    last = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING][1:]
    assert last == [f"TLS handshakes of clients that failed: 4 ({NO_CERTIFICATE}: 2, {UNKNOWN_CA}: 1, {NO_TLS}: 1)"]


def test_what_a_minute_brought_is_told_at_its_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(handshakes, "_MINUTE", 0.01)

    async def story() -> None:
        failed = Counter[str]()
        watched = Handshakes(failed)
        for _ in range(2):
            for error in (ConnectionResetError(), ConnectionResetError(), ConnectionAbortedError()):
                watched.fail(error)
            await until(lambda: watched._timer is None)
        assert failed == {LOST: 4, SLOW: 2}

    asyncio.run(story())
    told = [each.getMessage().partition("failed: ")[2] for each in caplog.records]
    assert told == [f"1 ({LOST}: 1)", f"2 ({LOST}: 1, {SLOW}: 1)"] * 2


def test_strangers_in_their_handshakes_make_room_for_others(certificates: Path) -> None:
    with running(certificates, limits={"connections": 3, "patience": 600}) as server, contextlib.ExitStack() as stack:
        strangers = [stack.enter_context(socket.create_connection((HOST, server.port), PATIENCE)) for _ in range(18)]
        assert [each.recv(1) for each in strangers[:2]] == [b"", b""]  # two had to leave for the last two
        clients = [server.client("SAE_A") for _ in range(3)]
        assert [each.get("/openapi.json").status for each in clients] == [200] * 3
        assert strangers[2].recv(1) == b""  # for the first client, whose place in a handshake the next ones take
        for _ in range(2):
            stack.enter_context(socket.create_connection((HOST, server.port), PATIENCE))
        assert strangers[3].recv(1) == b""
        assert [each.get("/openapi.json").status for each in clients] == [200] * 3  # clients keep their places
        assert "ndks_serve_turned_away_total 4" in server.monitor("/metrics")[1]


def test_a_handshake_has_its_time(certificates: Path) -> None:
    with running(certificates, limits={"patience": 1}) as server:
        with socket.create_connection((HOST, server.port), PATIENCE) as stranger:
            stranger.sendall(b"\x16\x03\x01")
            assert stranger.recv(1) == b""
        assert counts(server) == {SLOW: 1}
