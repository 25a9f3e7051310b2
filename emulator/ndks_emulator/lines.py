# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What stands in for the USB cable: a pseudo-terminal, a TCP connection, or plain memory.

As on a board, input and output are bounded by the line, writing to a host that does not read gives up after a while,
and a host that leaves is noticed.
"""

import contextlib
import os
import select
import socket
import time
from typing import Protocol

POLL_SECONDS = 0.02  # how long an idle unit sleeps before it looks again
WRITE_TIMEOUT = 2.0  # a host that takes nothing for so long does not read
CHUNK = 4096


class Line(Protocol):
    """One end of a serial line: the unit's."""

    @property
    def connected(self) -> bool:
        """Whether a host holds the other end."""
        ...

    def read(self) -> bytes:
        """Return what has arrived; wait for POLL_SECONDS at most."""
        ...

    def write(self, data: bytes) -> bool:
        """Send all of `data`; return False after giving up on a host that has left or does not read."""
        ...

    def close(self) -> None: ...


class MemoryLine:
    """A line inside one process; the host's end are the two buffers."""

    def __init__(self) -> None:
        self.connected = True
        self.inbound = bytearray()
        self.outbound = bytearray()

    def read(self) -> bytes:
        data = bytes(self.inbound[:CHUNK])
        del self.inbound[:CHUNK]
        return data

    def write(self, data: bytes) -> bool:
        self.outbound += data
        return True

    def close(self) -> None:
        self.connected = False


class PtyLine:
    """A pseudo-terminal; `path` is what a host opens as its serial port.

    Only the master is held open: when the unit goes, the host sees its port hang up, and the other way round.
    """

    def __init__(self) -> None:
        import pty  # not on every platform
        import tty

        self._master, slave = pty.openpty()
        tty.setraw(slave)  # no echo, even before the host has set the line up
        self.path = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(self._master, False)
        self._poll = select.poll()
        self._poll.register(self._master, select.POLLIN)

    @property
    def connected(self) -> bool:
        return not self._events(0) & select.POLLHUP

    def read(self) -> bytes:
        events = self._events(POLL_SECONDS)
        data = b""
        if events & select.POLLIN:
            with contextlib.suppress(OSError):  # the host has left in between
                data = os.read(self._master, CHUNK)
        if events & select.POLLHUP and not data:
            time.sleep(POLL_SECONDS)  # nobody there: poll would return at once for ever
        return data

    def write(self, data: bytes) -> bool:
        deadline = time.monotonic() + WRITE_TIMEOUT
        while data and time.monotonic() < deadline and self.connected:
            try:
                sent = os.write(self._master, data)
            except BlockingIOError:
                select.select([], [self._master], [], POLL_SECONDS)
                continue
            except OSError:
                return False
            data = data[sent:]
            deadline = time.monotonic() + WRITE_TIMEOUT
        return not data

    def close(self) -> None:
        os.close(self._master)

    def _events(self, timeout: float) -> int:
        return sum(events for _, events in self._poll.poll(timeout * 1000))


class TcpLine:
    """A TCP port on 127.0.0.1 for one host at a time; a second one is turned away. Port 0 takes a free one."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self._host: socket.socket | None = None

    @property
    def port(self) -> int:
        return self._listener.getsockname()[1]

    @property
    def connected(self) -> bool:
        return self._host is not None

    def read(self) -> bytes:
        sockets = [self._listener] if self._host is None else [self._listener, self._host]
        readable, _, _ = select.select(sockets, [], [], POLL_SECONDS)
        # First see whether the old host has left: a new one may have come already.
        data = self._receive(self._host) if self._host in readable and self._host else b""
        if self._listener in readable:
            self._accept()
        return data

    def write(self, data: bytes) -> bool:
        try:
            if self._host is not None:
                self._host.sendall(data)
                return True
        except OSError:  # gone, or its time-out: half a frame was sent, the line is of no use any more
            self._hang_up()
        return False

    def close(self) -> None:
        self._hang_up()
        self._listener.close()

    def _receive(self, host: socket.socket) -> bytes:
        data = b""
        with contextlib.suppress(OSError):
            data = host.recv(CHUNK)
        if not data:
            self._hang_up()
        return data

    def _accept(self) -> None:
        host, _ = self._listener.accept()
        if self._host is not None:
            host.close()
            return
        host.settimeout(WRITE_TIMEOUT)
        host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = host

    def _hang_up(self) -> None:
        if self._host is not None:
            self._host.close()
            self._host = None
