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
from collections.abc import Callable
from typing import Protocol

from .port_link import PortLink

POLL_SECONDS = 0.02  # how long an idle unit sleeps before it looks again
WRITE_TIMEOUT = 2.0  # a host that takes nothing for so long does not read
CHUNK = 4096
FIFO = 256  # bytes that a board's USB port hands over at a time

GoOn = Callable[[], bool]


def always() -> bool:
    return True


class Line(Protocol):
    """One end of a serial line: the unit's. It is plugged in when it is made."""

    @property
    def address(self) -> str:
        """What a host opens."""
        ...

    @property
    def connected(self) -> bool:
        """Whether a host holds the other end."""
        ...

    def read(self) -> bytes:
        """Return what has arrived; wait for POLL_SECONDS at most."""
        ...

    def write(self, data: bytes, go_on: GoOn = always) -> bool:
        """Send all of `data`; return False after giving up on a host that has left or does not read.

        Also when `go_on` says that it is no use any more: it is asked again and again while the host does not read.
        """
        ...

    def drop(self) -> None:
        """Hang up on the host, and be ready for the next, perhaps at another address."""
        ...

    def plug(self) -> None:
        """Be there again after `close`, perhaps at another address."""
        ...

    def close(self) -> None:
        """Be gone, as when the cable is pulled: the host sees it. Once more does nothing."""
        ...


class MemoryLine:
    """A line inside one process; the host's end are the two buffers."""

    address = "memory"

    def __init__(self) -> None:
        self.connected = True
        self.inbound = bytearray()
        self.outbound = bytearray()

    def read(self) -> bytes:
        data = bytes(self.inbound[:FIFO])
        del self.inbound[:FIFO]
        return data

    def write(self, data: bytes, go_on: GoOn = always) -> bool:  # noqa: ARG002 (memory takes everything at once)
        if self.connected:
            self.outbound += data
        return self.connected

    def drop(self) -> None:
        self.inbound.clear()

    def plug(self) -> None:
        self.connected = True

    def close(self) -> None:
        self.inbound.clear()
        self.connected = False


class PtyLine:
    """A pseudo-terminal; `path` is what a host opens as its serial port, or `link`, which leads there.

    Only the master is held open: when the unit goes, the host sees its port hang up, and the other way round. One that
    was hung up is of no use any more: the next has another path.
    """

    def __init__(self, link: PortLink | None = None) -> None:
        self._link = link
        self._master = -1
        self.plug()

    @property
    def address(self) -> str:
        return str(self._link.path) if self._link else self.path

    def plug(self) -> None:
        import pty  # not on every platform
        import termios
        import tty

        self._master, slave = pty.openpty()
        try:
            tty.setraw(slave)  # no echo, even before the host has set the line up
        except termios.error as error:
            raise OSError(*error.args) from None
        self.path = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(self._master, False)
        self._poll = select.poll()
        self._poll.register(self._master, select.POLLIN)
        if self._link:
            self._link.lead_to(self.path)

    def drop(self) -> None:
        hung_up = self._master
        self.plug()  # first, so that the next is not at the same path, which the host may still hold
        os.close(hung_up)

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

    def write(self, data: bytes, go_on: GoOn = always) -> bool:
        return _send_all(data, self._master, self._send, lambda: self.connected and go_on())

    def _send(self, data: bytes) -> int:
        return os.write(self._master, data)

    def close(self) -> None:
        if self._master < 0:
            return
        if self._link:
            self._link.remove()
        os.close(self._master)
        self._master = -1

    def _events(self, timeout: float) -> int:
        return sum(events for _, events in self._poll.poll(timeout * 1000))


class TcpLine:
    """A TCP port on 127.0.0.1 for one host at a time; a second one is turned away. Port 0 takes a free one."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._host: socket.socket | None = None
        self.plug()

    @property
    def address(self) -> str:
        return f"socket://127.0.0.1:{self.port}"

    def plug(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]

    def drop(self) -> None:
        self._hang_up()
        while select.select([self._listener], [], [], 0)[0]:  # also on those whom nobody has answered yet
            self._listener.accept()[0].close()

    @property
    def connected(self) -> bool:
        return self._host is not None

    def read(self) -> bytes:
        sockets = [self._listener] if self._host is None else [self._listener, self._host]
        readable, _, _ = select.select(sockets, [], [], POLL_SECONDS)
        if self._host and self._host in readable:
            return self._receive(self._host)  # to its end, which the unit must see before a new host may come
        if self._listener in readable:
            self._accept()
        return b""

    def write(self, data: bytes, go_on: GoOn = always) -> bool:
        if self._host is None:
            return False
        if not _send_all(data, self._host, self._host.send, go_on):
            self._hang_up()  # half a frame was sent: the line is of no use any more
            return False
        return True

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
        host.setblocking(False)
        host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = host

    def _hang_up(self) -> None:
        if self._host is not None:
            self._host.close()
            self._host = None


def _send_all(data: bytes, file: int | socket.socket, send: Callable[[bytes], int], go_on: GoOn) -> bool:
    """Send to a file that does not block; False when the host takes nothing for WRITE_TIMEOUT, or has left."""
    deadline = time.monotonic() + WRITE_TIMEOUT
    while data and time.monotonic() < deadline and go_on():
        try:
            sent = send(data)
        except BlockingIOError:
            select.select([], [file], [], POLL_SECONDS)
            continue
        except OSError:
            return False
        data = data[sent:]
        deadline = time.monotonic() + WRITE_TIMEOUT
    return not data
