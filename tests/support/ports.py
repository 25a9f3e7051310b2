# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Ports for servers that a test starts."""

import atexit
import secrets
import socket
import sys
from collections import deque

_HOST = "127.0.0.1"
_MOST = 64  # ports that stay taken
_BELOW = range(10_000, 32_768)  # ports that Linux gives to nobody who asks for any

_taken: deque[socket.socket] = deque()


@atexit.register
def _give_back() -> None:
    for each in _taken:
        each.close()


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free for TCP and UDP, and that the system gives to nobody else.

    On Linux a socket of this process stays bound to it: servers, which set SO_REUSEADDR, may listen there all the same.
    """
    while True:
        holder = socket.socket()
        holder.bind((_HOST, 0))
        port = holder.getsockname()[1]
        with socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                udp.bind((_HOST, port))
            except OSError:
                holder.close()
                continue
        if sys.platform != "linux":
            holder.close()
            return port
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _keep(holder)
        return port


def free_udp_port() -> int:
    """Return a port of 127.0.0.1 that is free for UDP.

    A socket for TCP stays bound to it: this function gives it to no other process of the tests.
    """
    while True:
        port, holder = secrets.choice(_BELOW), socket.socket()
        with socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                for each in (holder, udp):
                    each.bind((_HOST, port))
            except OSError:
                holder.close()
                continue
        _keep(holder)
        return port


def _keep(holder: socket.socket) -> None:
    _taken.append(holder)
    if len(_taken) > _MOST:
        _taken.popleft().close()
