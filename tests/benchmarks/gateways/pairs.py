# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Pairs of gateways before one server: none at all, spiped, stunnel."""

import contextlib
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from support.ports import free_port

from .processes import running, wait_for_port

_STUNNEL = """foreground = yes
pid =
debug = err
[benchmark]
client = {client}
accept = 127.0.0.1:{accept}
connect = 127.0.0.1:{connect}
PSKsecrets = {secrets}
PSKidentity = benchmark
sslVersion = TLSv1.3
ciphersuites = TLS_AES_128_GCM_SHA256
"""


@dataclass(frozen=True)
class Pair:
    """Two gateways that run."""

    name: str
    entrance: int  # port for clients
    processes: tuple[int, ...]  # all that run for it
    guard: int = 0  # port of the gateway that is before the server, which strangers find
    guarding: tuple[int, ...] = ()  # its processes
    hello: int = 0  # bytes that it says first
    knock: Callable[[], bytes] = bytes  # what a stranger says, of the shape that is expected
    link_up: Callable[[], dict[str, float]] = dict  # how long a new link takes, if there are links


@contextlib.contextmanager
def direct(server: int, directory: Path) -> Iterator[Pair]:
    yield Pair("no gateways", server, ())


@contextlib.contextmanager
def spiped(server: int, directory: Path) -> Iterator[Pair]:
    key, log = directory / "spiped.key", directory / "spiped.log"
    key.write_bytes(secrets.token_bytes(32))
    entrance, guard = free_port(), free_port()

    def command(way: str, source: int, target: int) -> list[object]:
        return ["spiped", "-F", way, "-k", key, "-s", f"[127.0.0.1]:{source}", "-t", f"[127.0.0.1]:{target}"]

    with (
        running(command("-d", guard, server), log) as far,
        running(command("-e", entrance, guard), log) as near,
    ):
        wait_for_port(guard, log)
        wait_for_port(entrance, log)
        knock = 32 + 256 + 32  # nonce, Diffie-Hellman value, authenticator
        yield Pair("spiped", entrance, (near, far), guard, (far,), 0, lambda: secrets.token_bytes(knock))


@contextlib.contextmanager
def stunnel(server: int, directory: Path) -> Iterator[Pair]:
    key, log = directory / "stunnel.key", directory / "stunnel.log"
    key.touch(0o600)
    key.write_text(f"benchmark:{secrets.token_hex(32)}\n")
    entrance, guard = free_port(), free_port()
    for name, client, accept, connect in (("far", "no", guard, server), ("near", "yes", entrance, guard)):
        text = _STUNNEL.format(client=client, accept=accept, connect=connect, secrets=key)
        (directory / f"stunnel-{name}.conf").write_text(text)
    with (
        running(["stunnel4", directory / "stunnel-far.conf"], log) as far,
        running(["stunnel4", directory / "stunnel-near.conf"], log) as near,
    ):
        wait_for_port(guard, log)
        wait_for_port(entrance, log)
        yield Pair("stunnel", entrance, (near, far), guard, (far,), 0, _client_hello)


def _client_hello() -> bytes:
    """Return a ClientHello in its record, with random contents."""
    hello = b"\1" + (290).to_bytes(3, "big") + b"\3\3" + secrets.token_bytes(288)
    return b"\x16\3\1" + len(hello).to_bytes(2, "big") + hello


PROGRAMS = {"spiped": "spiped", "stunnel": "stunnel4"}


def missing() -> list[str]:
    """Return the names of pairs whose program is not installed."""
    return [name for name, program in PROGRAMS.items() if not shutil.which(program)]
