# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Probe of the isolation between two processes: doors that answer, and knocks at them.

Network namespaces close all kinds of doors: TCP, UDP, and abstract Unix sockets of Linux.
"""

import contextlib
import secrets
import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import psutil

from ndks_laboratory import times

from .cage import interfaces, namespace

_TOKEN_SIZE = 16
_AT_ONCE = 64  # knocks


@dataclass(frozen=True)
class Knock:
    """An attempt to reach the other side."""

    door: str
    answered: bool


class Doors:
    """Listens at all doors, and answers with a random token."""

    def __init__(self) -> None:
        self._token = secrets.token_bytes(_TOKEN_SIZE)
        self._unix = f"\0ndks-{secrets.token_hex(8)}"
        self._tcp = _bound(socket.SOCK_STREAM)
        self._udp = _bound(socket.SOCK_DGRAM)
        self._local = _abstract(self._unix)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._answer, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for door in self._doors():
            door.close()

    def describe(self) -> dict[str, Any]:
        """Return the addresses of all doors and the token as plain values."""
        return {
            "namespace": namespace(),
            "interfaces": interfaces(),
            "addresses": _addresses(),
            "tcp": self._tcp.getsockname()[1],
            "udp": self._udp.getsockname()[1],
            "unix": self._unix[1:] if self._local else "",
            "token": self._token.hex(),
        }

    def _doors(self) -> list[socket.socket]:
        return [self._tcp, self._udp, *([self._local] if self._local else [])]

    def _answer(self) -> None:
        with selectors.DefaultSelector() as selector:
            for door in self._doors():
                selector.register(door, selectors.EVENT_READ)
            while not self._over.is_set():
                for key, _ in selector.select(times.PROBE_LOOK):
                    with contextlib.suppress(OSError):  # the peer has disconnected
                        self._answer_at(key.fileobj)

    def _answer_at(self, door: Any) -> None:
        if door is self._udp:
            _, who = door.recvfrom(_TOKEN_SIZE)
            door.sendto(self._token, who)
        else:
            visitor, _ = door.accept()
            with visitor:
                visitor.sendall(self._token)


def knock_everywhere(other: dict[str, Any]) -> list[Knock]:
    """Knock at each door of the other side at each of its addresses; link-local ones over each own interface."""
    token = bytes.fromhex(other["token"])
    knocks: dict[str, Callable[[], bool]] = {
        f"{name} {address}": partial(_knock, kind, address, other[name], token)
        for address in _reachable_forms(other["addresses"])
        for kind, name in ((socket.SOCK_STREAM, "tcp"), (socket.SOCK_DGRAM, "udp"))
    }
    if other["unix"]:
        knocks["unix abstract"] = partial(_knock_unix, f"\0{other['unix']}", token)
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # each waits for times.PROBE where nobody answers
        answers = [(door, pool.submit(knock)) for door, knock in knocks.items()]
        return [Knock(door, answer.result()) for door, answer in answers]


def _bound(kind: socket.SocketKind) -> socket.socket:
    """Return a socket on all addresses of this namespace, for IPv4 and, if available, IPv6."""
    if socket.has_ipv6:
        with contextlib.suppress(OSError):
            door = socket.socket(socket.AF_INET6, kind)
            door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            return _listening(door, "::")
    return _listening(socket.socket(socket.AF_INET, kind), "0.0.0.0")  # noqa: S104 nobody else is in a cage


def _listening(door: socket.socket, address: str) -> socket.socket:
    door.bind((address, 0))
    if door.type == socket.SOCK_STREAM:
        door.listen()
    return door


def _abstract(name: str) -> socket.socket | None:
    """Return a listener at an abstract Unix socket; None if the system has none."""
    try:
        door = socket.socket(socket.AF_UNIX)
        door.bind(name)
    except (AttributeError, OSError):
        return None
    door.listen()
    return door


def _addresses() -> list[str]:
    """Return all addresses of this namespace, and those of loopback, which reach a peer in the same namespace."""
    families = (socket.AF_INET, socket.AF_INET6)
    own = {a.address for some in psutil.net_if_addrs().values() for a in some if a.family in families}
    return sorted(own | {"127.0.0.1", "::1"})


def _reachable_forms(addresses: list[str]) -> Iterator[str]:
    """Yield the addresses as this side must write them: link-local ones once for each of its interfaces."""
    for address in addresses:
        if address.startswith("fe80:"):
            yield from (f"{address.partition('%')[0]}%{name}" for name in interfaces() if name != "lo")
        else:
            yield address


def _knock(kind: socket.SocketKind, address: str, port: int, token: bytes) -> bool:
    try:
        (family, _, _, _, where), *_ = socket.getaddrinfo(address, port, type=kind, flags=socket.AI_NUMERICHOST)
        with socket.socket(family, kind) as line:
            line.settimeout(times.PROBE)
            line.connect(where)
            if kind == socket.SOCK_DGRAM:
                line.send(b"?")
            return line.recv(_TOKEN_SIZE) == token
    except OSError:
        return False


def _knock_unix(name: str, token: bytes) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(times.PROBE)
            line.connect(name)
            return line.recv(_TOKEN_SIZE) == token
    except OSError:
        return False
