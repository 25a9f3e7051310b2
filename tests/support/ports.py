# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Ports for servers that a test starts."""

import atexit
import contextlib
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

    On Linux a socket for TCP stays bound to it, so that no other run of the tests chooses it: servers, which set
    SO_REUSEADDR, may listen there all the same.
    """
    while True:
        port, holder = secrets.choice(_BELOW), socket.socket()
        with socket.socket(type=socket.SOCK_DGRAM) as udp, contextlib.suppress(OSError):
            for each in (holder, udp):
                each.bind((_HOST, port))
            _keep(holder)
            return port
        holder.close()


def _keep(holder: socket.socket) -> None:
    if sys.platform != "linux":
        holder.close()
        return
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _taken.append(holder)
    if len(_taken) > _MOST:
        _taken.popleft().close()
