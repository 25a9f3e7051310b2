# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A UDP socket in the event loop. The loop's own transports drop empty datagrams up to Python 3.12."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

LARGEST = 65535  # bytes of a datagram
_AT_ONCE = 64  # datagrams in one turn of the loop
_BUFFER = 1 << 20  # bytes that the system keeps until they are read

Address = Any  # of the socket module: a tuple that depends on the family
Received = Callable[[memoryview, Address], object]  # the view is valid during the call


class DatagramSocket:
    """Calls `received` for each datagram. What cannot be sent at once is lost, as a network may lose it."""

    def __init__(self, made: socket.socket, received: Received) -> None:
        self._socket = made
        self._received = received
        self._loop = asyncio.get_running_loop()
        self._room = bytearray(LARGEST)
        made.setblocking(False)
        for option in socket.SO_RCVBUF, socket.SO_SNDBUF:
            with contextlib.suppress(OSError):
                made.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
        self._loop.add_reader(made.fileno(), self._read)

    @property
    def address(self) -> Address:
        return self._socket.getsockname()

    def send(self, data: bytes | memoryview, address: Address = None) -> bool:
        """Send a datagram to an address, or to the one that the socket is connected to; return whether it left."""
        try:
            if address is None:
                self._socket.send(data)
            else:
                self._socket.sendto(data, address)
        except OSError:  # no room, too large, no route, or nobody listened there before
            return False
        return True

    def close(self) -> None:
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _read(self) -> None:
        view = memoryview(self._room)
        for _ in range(_AT_ONCE):
            try:
                size, address = self._socket.recvfrom_into(self._room)
            except BlockingIOError:
                return
            except OSError:  # an earlier datagram was refused; this tells it once
                continue
            self._received(view[:size], address)
            if self._socket.fileno() < 0:  # closed meanwhile
                return


def bound(host: str, port: int) -> socket.socket:
    """Return a UDP socket that listens at an address. OSError."""
    return _made(host, port, socket.socket.bind)


def connected(host: str, port: int) -> socket.socket:
    """Return a UDP socket that talks to an address only; `host` is an IP address. OSError."""
    return _made(host, port, socket.socket.connect)


def _made(host: str, port: int, use: Callable[[socket.socket, Address], object]) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    made = socket.socket(family, kind, protocol)
    try:
        use(made, address)
    except BaseException:
        made.close()
        raise
    return made
