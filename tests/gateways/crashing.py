# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Load through a tunnel whose links, processes and units are cut, and an account of each byte.

Applications connect, send random bytes to an echo server, and compare what comes back. A connection that is reset must
have got the beginning of what it sent; one that is not, all of it.
"""

import contextlib
import random
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from support.emulate_process import PATIENCE
from support.workers import Workers

_PIECE = 1 << 15
_MOST = 1 << 20  # bytes of one connection
_LATER = 0.05  # seconds before a connection that was refused is tried again


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.request.recv(_PIECE):
                self.request.sendall(data)
            self.request.shutdown(socket.SHUT_WR)


class Server(socketserver.ThreadingTCPServer):
    request_queue_size = 256

    @property
    def port(self) -> int:
        return self.server_address[1]


class Cable:
    """A TCP connection in the midst of a link, which can be cut. It carries bytes to a port."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._accepting.join(PATIENCE)
        self._listener.close()
        self.cut()

    def cut(self) -> int:
        """Cut all connections now, whatever is on its way; return how many there were."""
        with self._lock:
            ends, self._ends = self._ends, set()
        for end in ends:
            _reset(end)
        return len(ends) // 2

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._to), PATIENCE)
                except OSError:
                    near.close()
                    continue
                with self._lock:
                    self._ends |= {near, far}
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_carry, args=(one, other), daemon=True).start()


def _carry(one: socket.socket, other: socket.socket) -> None:
    try:
        one.settimeout(None)
        while data := one.recv(_PIECE):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
    except OSError:  # one of them was reset
        _reset(one)
        _reset(other)


def _reset(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@dataclass
class Account:
    """What came of the connections."""

    whole: int = 0
    reset: int = 0
    refused: int = 0
    octets: int = 0
    wrong: list[str] = field(default_factory=list[str])


class Load(Workers):
    """Applications that connect to a port, one connection after another."""

    def __init__(self, port: int, workers: int = 4, seed: int = 1) -> None:
        super().__init__(workers, seed)
        self.account = Account()
        self._port = port
        self._lock = threading.Lock()

    def goes_on(self) -> None:
        """Wait until other connections were served whole."""
        self.wait_for(lambda: self.account.whole, self.account.whole + len(self.threads), self.account)

    def work(self, number: int, chance: random.Random) -> None:
        while not self.is_ending.is_set():
            self._connect(chance)

    def _connect(self, chance: random.Random) -> None:
        data = chance.randbytes(chance.choice((1, 1000, _PIECE, chance.randrange(_MOST))))
        try:
            connection = socket.create_connection(("127.0.0.1", self._port), PATIENCE)
        except OSError:
            with self._lock:
                self.account.refused += 1
            time.sleep(_LATER)
            return
        with connection:
            failures: list[OSError] = []
            sending = threading.Thread(target=_send, args=(connection, data, failures), daemon=True)
            sending.start()
            got, is_whole = _received(connection)
            sending.join(PATIENCE)
        self._note(data, got, is_whole=is_whole and not failures)

    def _note(self, data: bytes, got: bytes, *, is_whole: bool) -> None:
        with self._lock:
            self.account.whole += is_whole
            self.account.reset += not is_whole
            self.account.octets += len(got)
            if not data.startswith(got):
                at = next(i for i, (one, other) in enumerate(zip(data, got, strict=False)) if one != other)
                self.account.wrong.append(f"byte {at} of {len(data)} differs, {len(got)} came")
            elif is_whole and len(got) != len(data):
                self.account.wrong.append(f"{len(got)} of {len(data)} bytes, and then an end")


def _send(connection: socket.socket, data: bytes, failures: list[OSError]) -> None:
    """Send all; the system tells of a reset once, here or where the other thread reads."""
    try:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
    except OSError as error:
        failures.append(error)


def _received(connection: socket.socket) -> tuple[bytes, bool]:
    got = bytearray()
    try:
        while data := connection.recv(_PIECE):
            got += data
    except TimeoutError:
        raise AssertionError("a connection hangs") from None
    except OSError:
        return bytes(got), False
    return bytes(got), True


def often(count: int, chance: random.Random, do: Callable[[], object], longest: float = 0.3) -> None:
    """Do something so many times, with random pauses up to so many seconds between."""
    for _ in range(count):
        time.sleep(chance.uniform(0.0, longest))
        do()
