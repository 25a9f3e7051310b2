# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The sockets of commands and metrics of a tunnel that runs."""

import asyncio
import contextlib
import json
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.emulate_process import PATIENCE

from ndks.exceptions import FileError, UsageError
from ndks.laptop.homes import HOME
from ndks.line.services import SOCKETS
from ndks_gateways.running import control, metrics, places
from ndks_gateways.running.control import TunnelError
from ndks_gateways.running.places import NotRunning
from ndks_gateways.running.settings import Address, address
from ndks_gateways.running.store import TunnelBusy

COUNTS = {"sent": 3, "received": 2, "kept": 1}
VALUES: dict[str, Any] = {
    "name": "web",
    "side": "A",
    "link": None,
    "unit": {"present": True, "generation": None},
    "streams": {"open": 4, "opened": 9, "resets": 1},
    "bytes": COUNTS,
    "handshakes": {"full": 2, "resumed": 5, "failed": {"NO_DOOR": 7, "TOO_MANY": 1}},
    "cuts": 6,
    "resent": 0,
    "datagrams": {"flows": 0, "sent": 0, "received": 0, "dropped": 8},
    "carried": {"sent": 1, "received": 1},
}


@pytest.fixture(autouse=True)
def directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="ndks-") as short:  # paths of sockets
        monkeypatch.setenv(HOME, str(tmp_path))
        monkeypatch.setenv(SOCKETS, short)
        yield


def beside(requests: dict[str, control.Request], use: Callable[[], Any]) -> Any:
    """Run a function in a thread beside the socket of tunnel web, and return its result."""

    async def run() -> Any:
        path = places.new_sockets("web", places.LISTEN) / places.CONTROL
        async with control.serving(path, requests):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            result = await asyncio.wait_for(asyncio.to_thread(use), PATIENCE)
        assert not path.exists()
        return result

    return asyncio.run(run())


def refuse() -> dict[str, Any]:
    raise FileError("the disk is full", "free some space")


def raw(*lines: bytes) -> list[Any]:
    """Send lines, and return the answers; None: the connection was closed."""
    answers: list[Any] = []
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rb") as read:
        connection.settimeout(PATIENCE)
        connection.connect(str(places.socket_of("web", places.LISTEN)))
        for line in lines:
            answer = b""
            with contextlib.suppress(ConnectionError):  # it may be closed before all was sent, or read
                connection.sendall(line)
                answer = read.readline()
            answers.append(json.loads(answer) if answer else None)
    return answers


def test_requests_and_answers() -> None:
    requests: dict[str, control.Request] = {"status": lambda: VALUES, "forget": refuse}

    def use() -> None:
        assert control.ask("web", places.LISTEN, "status") == VALUES
        with pytest.raises(TunnelError) as refused:
            control.ask("web", places.LISTEN, "forget")
        assert (refused.value.code, str(refused.value), refused.value.advice) == (
            "FILE",
            "the disk is full",
            "free some space",
        )
        assert places.names() == ["web"]

    beside(requests, use)
    with pytest.raises(NotRunning):
        control.ask("web", places.LISTEN, "status")


def test_garbage_is_refused() -> None:
    lines = [b"\n", b"[]\n", b"{\n", b"\xff\n", b'{"do": "erase"}\n', b'{"do": []}\n', b'{"do": {}, "do": {}}\n']
    lines += [b"[" * 4000 + b"\n", b'{"do": "status"}\n']
    answers = beside({"status": lambda: VALUES}, lambda: raw(*lines))
    assert [answer["error"]["code"] for answer in answers[:-1]] == ["USAGE"] * (len(lines) - 1)
    assert answers[-1] == VALUES
    assert beside({}, lambda: raw(b"x" * 100_000 + b"\n")) == [None]


def test_one_tunnel_a_socket() -> None:
    async def twice() -> None:
        async with control.serving(path, {}), control.serving(path, {}):
            raise AssertionError

    path = places.new_sockets("web", places.LISTEN) / places.CONTROL
    with pytest.raises(TunnelBusy):
        asyncio.run(twice())
    with socket.socket(socket.AF_UNIX) as killed:  # its file stays
        killed.bind(str(path))
    assert beside({"status": lambda: VALUES}, lambda: control.ask("web", places.LISTEN, "status")) == VALUES


@pytest.mark.parametrize(("directory", "mode"), [(0o700, 0o600), (0o750, 0o660), (0o710, 0o660)])
def test_agents_of_a_group_may_use_what_its_directory_lets_them(directory: int, mode: int) -> None:
    async def run() -> int:
        path = places.new_sockets("web", places.LISTEN) / places.CARRY
        path.parent.parent.chmod(directory)
        assert places.new_sockets("web", places.LISTEN) == path.parent
        made = asyncio.get_running_loop().create_unix_server
        async with control.listening(path, lambda: made(asyncio.Protocol, path), for_group=True):
            return stat.S_IMODE(path.stat().st_mode)

    assert asyncio.run(run()) == mode


def test_a_long_directory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SOCKETS, str(tmp_path / ("x" * 100)))
    with pytest.raises(UsageError, match="too long"):
        places.new_sockets("web", places.LISTEN)


def test_metrics_over_http() -> None:
    async def ask(request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), PATIENCE)
        writer.close()
        return answer

    async def run() -> list[bytes]:
        nonlocal port
        server = await metrics.serve(Address("127.0.0.1", 0), lambda: VALUES)
        port = server.sockets[0].getsockname()[1]
        requests = [b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"PUT /metrics x\r\n\r\n"]
        requests += [b"", b"\xff" * 20000, b"GET\r\n\r\n"]
        answers = [await ask(request) for request in requests]
        server.close()
        return answers

    port = 0
    good, *others = asyncio.run(run())
    head, _, body = good.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert body.decode() == metrics.text([VALUES])
    assert [answer[:12] for answer in others] == [b"HTTP/1.1 404", b"HTTP/1.1 404", b"", b"", b"HTTP/1.1 404"]


def test_the_text_of_metrics() -> None:
    lines = metrics.text([VALUES, VALUES | {"side": "B", "cuts": 1}]).splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert values['ndks_tunnel_up{tunnel="web",side="A"}'] == "0"
    assert values['ndks_tunnel_generation{tunnel="web",side="A"}'] == "0"
    assert values['ndks_tunnel_failed_handshakes_total{tunnel="web",side="A",code="NO_DOOR"}'] == "7"
    assert [values[f'ndks_tunnel_cuts_total{{tunnel="web",side="{side}"}}'] for side in "AB"] == ["6", "1"]
    names = {line.split("{")[0] for line in values}
    for what in ("HELP", "TYPE"):
        told = [line.split()[2] for line in lines if line.startswith(f"# {what}")]
        assert len(told) == len(names)  # each once
        assert set(told) == names
    assert [line for line in lines if " TYPE " in line and line.endswith("counter") != ("_total " in line)] == []


@pytest.mark.parametrize(
    ("text", "host", "number"),
    [
        ("127.0.0.1:80", "127.0.0.1", 80),
        ("8000", "127.0.0.1", 8000),
        (":8000", "127.0.0.1", 8000),
        ("gateway.example:7700", "gateway.example", 7700),
        ("[::1]:65535", "::1", 65535),
        ("0.0.0.0:0", "0.0.0.0", 0),
    ],
)
def test_addresses(text: str, host: str, number: int) -> None:
    assert address(text) == (host, number)
    assert address(str(address(text))) == (host, number)


@pytest.mark.parametrize(
    "text", ["", "x", "::1:80", "h:65536", "h:-1", "h:8 0", "h:", "h:٣", "[::1]", "h:000080", "a..b:1"]
)
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        address(text)
