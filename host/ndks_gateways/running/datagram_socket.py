# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A UDP socket in the event loop. The loop's own transports drop empty datagrams up to Python 3.12."""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable
from typing import Any

LARGEST = 65535  # bytes of a datagram
_AT_ONCE = 64  # datagrams in one turn of the loop
_BUFFER = 1 << 20  # bytes that the system keeps until they are read

Address = Any  # where a datagram came from, for `send`; it can be a key of a dict
# On Linux, by family: level, option and kind of the message that says which local address a datagram came to, or is to
# come from; and which of its bytes are that address (ip(7), ipv6(7)). Python names the first option from 3.12 on.
_PKTINFO = {
    socket.AF_INET: (socket.IPPROTO_IP, 8, 8, slice(4, 8)),
    socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, socket.IPV6_PKTINFO, slice(0, 16)),
}
_PKTINFO_SIZE = 20  # the larger one
Received = Callable[[memoryview, Address], object]  # the view is valid during the call


class DatagramSocket:
    """Calls `received` for each datagram. What cannot be sent at once is lost, as a network may lose it.

    Where it listens at all addresses, an answer leaves from the one that was asked: whoever asked accepts no other.
    """

    def __init__(self, made: socket.socket, received: Received) -> None:
        self._socket = made
        self._received = received
        self._loop = asyncio.get_running_loop()
        self._room = bytearray(LARGEST)
        made.setblocking(False)
        is_at_all = ipaddress.ip_address(made.getsockname()[0].partition("%")[0]).is_unspecified
        self._pktinfo = _PKTINFO[made.family] if is_at_all else None
        if self._pktinfo:
            level, option, _, _ = self._pktinfo
            made.setsockopt(level, option, 1)
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
            elif self._pktinfo:
                there, own = address
                self._socket.sendmsg([data], [own] if own else [], 0, there)
            else:
                self._socket.sendto(data, address)
        except OSError:  # no room, too large, no route, or nobody listened there before
            return False
        return True

    def close(self) -> None:
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _receive(self) -> tuple[int, Address]:
        if not self._pktinfo:
            return self._socket.recvfrom_into(self._room)
        level, _, kind, place = self._pktinfo
        size, told, _, there = self._socket.recvmsg_into([self._room], socket.CMSG_SPACE(_PKTINFO_SIZE))
        own = None
        for _, _, content in told:
            own = bytearray(len(content))  # without the interface: routes choose that
            own[place] = content[place]
        return size, (there, (level, kind, bytes(own)) if own else None)

    def _read(self) -> None:
        view = memoryview(self._room)
        for _ in range(_AT_ONCE):
            try:
                size, address = self._receive()
            except BlockingIOError:
                return
            except OSError:  # an earlier datagram was refused; this reports it once
                continue
            self._received(view[:size], address)
            if self._socket.fileno() < 0:  # closed meanwhile
                return


def bound(host: str, port: int) -> socket.socket:
    """Return a UDP socket that listens at an address. OSError."""
    return _made(host, port, socket.socket.bind)


def connected(host: str, port: int) -> socket.socket:
    """Return a UDP socket that talks to one address only; `host` is an IP address. OSError."""
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
