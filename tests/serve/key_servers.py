# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A server of keys in a thread of this process, and clients that speak HTTP to it."""

import asyncio
import contextlib
import http.client
import json
import selectors
import ssl
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ndks_gateways.serving import certs, config
from ndks_gateways.serving.config import Config
from ndks_gateways.serving.key_server import KeyServer

from .fakes import FakeKeys

HOST = "127.0.0.1"
PATIENCE = 60.0  # seconds, in which a busy machine gets anything done
SAES = ("SAE_A", "SAE_B", "SAE_C", "SAE_D", "ENC_A", "ENC_B", "NOBODY")
_T = TypeVar("_T")


class Said(NamedTuple):
    """An answer; `values` is None if it is no JSON."""

    status: int
    values: Any
    headers: dict[str, str]

    @property
    def reason(self) -> str:
        """Why it was refused: what `details` say, or else the message."""
        details = self.values.get("details", ())
        return details[0]["reason"] if details else self.values.get("message", "")


def make_certificates(directory: Path) -> Path:
    certs.make(directory, SAES, ("KME_A", "KME_B"), (HOST, "localhost"), 2)
    return directory


def values_of(directory: Path, **changes: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration as TOML gives it; `changes` are added to its sections."""
    values: dict[str, dict[str, Any]] = {
        "kme": {
            "id": "KME_A",
            "peer": "KME_B",
            "listen": f"{HOST}:0",
            "certificate": "KME_A.crt",
            "key": "KME_A.key",
            "clients_ca": "ca.crt",
            "monitor": 0,
        },
        "sae": {"here": ["SAE_A"], "there": ["SAE_B", "SAE_C", "SAE_D"]},
        "ledger": {"file": str(directory / "ledger"), "last_run": str(directory / "last-run")},
        "groups": {"G": ["SAE_B", "SAE_C"]},
    }
    for section, more in changes.items():
        values[section] = {**values.get(section, {}), **more}
    return values


def config_of(directory: Path, **changes: dict[str, Any]) -> Config:
    return config.read(values_of(directory, **changes), directory)


class Client:
    """Keeps one connection with the certificate of an SAE, or without one."""

    def __init__(self, directory: Path, port: int, name: str | None) -> None:
        self.context = ssl.create_default_context(cafile=directory / "ca.crt")
        if name:
            pair = certs.pair_of(directory, name)
            self.context.load_cert_chain(pair.certificate, pair.key)
        self._connection = http.client.HTTPSConnection(HOST, port, context=self.context, timeout=PATIENCE)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Said:
        content = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
        self._connection.request(method, path, content, headers)
        response = self._connection.getresponse()
        text = response.read()
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        return Said(response.status, json.loads(text) if is_json else None, dict(response.headers))

    def get(self, path: str) -> Said:
        return self.ask("GET", path)

    def post(self, path: str, body: Any = None) -> Said:
        return self.ask("POST", path, body)

    def keys(self, other: str, method: str, body: Any = None) -> Said:
        return self.post(f"/api/v1/keys/{other}/{method}", body)

    def close(self) -> None:
        self._connection.close()


class Running:
    """A server that runs, with `keys` behind it."""

    def __init__(self, directory: Path, config: Config, keys: FakeKeys) -> None:
        self.directory, self.config, self.keys = directory, config, keys
        self._selector = selectors.DefaultSelector()
        self._loop = asyncio.SelectorEventLoop(self._selector)
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._clients: list[Client] = []
        self.server = self.call(self._made())
        self.call(self.server.open())

    async def _made(self) -> KeyServer:
        return KeyServer(self.config, self.keys, self.keys, self.keys.why_not, lambda: 3 << 16 | 5)

    def call(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)

    async def _no_connections(self) -> None:
        """Wait until the loop has forgotten the connections that the server closed: only its own pipe is left."""
        async with asyncio.timeout(PATIENCE):
            while len(self._selector.get_map()) > 1:
                await asyncio.sleep(0.005)

    @property
    def port(self) -> int:
        return self.server.address.port

    def client(self, name: str | None = "SAE_A", directory: Path | None = None) -> Client:
        self._clients.append(Client(directory or self.directory, self.port, name))
        return self._clients[-1]

    def monitor(self, path: str, method: str = "GET") -> tuple[int, str]:
        assert self.server.monitor
        connection = http.client.HTTPConnection(*self.server.monitor, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def end(self) -> None:
        for each in self._clients:
            each.close()
        self.call(self.server.close())
        self.call(self._no_connections())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()


@contextlib.contextmanager
def running(directory: Path, keys: FakeKeys | None = None, **changes: dict[str, Any]) -> Iterator[Running]:
    """Run a server whose certificates are in a directory."""
    found = config_of(directory, **changes)
    groups = {name: frozenset(members) for name, members in found.groups.items()}
    server = Running(directory, found, keys or FakeKeys(groups))
    try:
        yield server
    finally:
        server.end()
