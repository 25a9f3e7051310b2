# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Serial lines of an emulated unit: a pseudo-terminal, a TCP connection, or buffers in memory.

As on a board, the line bounds its buffers, a write to a host that does not read times out, and the unit notices when
the host disconnects.
"""

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable
from typing import Protocol

from .port_link import PortLink

POLL_SECONDS = 0.02  # maximum time that a read waits for data
WRITE_TIMEOUT = 2.0  # give up on a host that reads nothing for this time
CHUNK = 4096
FIFO = 256  # bytes per read of a board's USB port
TOUCH_BAUD = 1200
ANY_BAUD = 115200  # stands for all others

ShouldContinue = Callable[[], bool]


def always() -> bool:
    return True


class Line(Protocol):
    """The unit's end of a serial line, plugged in by the constructor."""

    @property
    def address(self) -> str:
        """The name of the port, for the host to open."""
        ...

    @property
    def connected(self) -> bool:
        """Whether a host has opened the other end."""
        ...

    @property
    def baud(self) -> int:
        """The rate that the host has set: TOUCH_BAUD, which sends a board to its bootloader, or ANY_BAUD."""
        ...

    def read(self, wait: float = POLL_SECONDS) -> bytes:
        """Return the received bytes; wait for them for `wait` seconds at most."""
        ...

    def offer(self, data: bytes) -> int:
        """Send what the host's end has room for, without waiting; return the number of bytes, 0 without a host."""
        ...

    def write(self, data: bytes, should_continue: ShouldContinue = always) -> bool:
        """Send all of `data`. Return False if the host has left or does not read.

        While the host does not read, `should_continue` is called repeatedly; False ends the write.
        """
        ...

    def drop(self) -> None:
        """Disconnect the host, and wait for the next one. The address may change."""
        ...

    def plug(self) -> None:
        """Plug in again after `close`. The address may change."""
        ...

    def close(self) -> None:
        """Disappear, as if the cable was pulled. Further calls do nothing."""
        ...


class MemoryLine:
    """A line inside one process. The two buffers are the host's end."""

    address = "memory"

    def __init__(self) -> None:
        self.connected = True
        self.inbound = bytearray()
        self.outbound = bytearray()
        self.baud = ANY_BAUD

    def read(self, wait: float = 0.0) -> bytes:  # noqa: ARG002 (all that will come is here)
        data = bytes(self.inbound[:FIFO])
        del self.inbound[:FIFO]
        return data

    def offer(self, data: bytes) -> int:
        return len(data) if self.write(data) else 0

    def write(self, data: bytes, should_continue: ShouldContinue = always) -> bool:  # noqa: ARG002 (memory takes everything at once)
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
    """A pseudo-terminal. A host opens `path`, or the symbolic link `link`, as its serial port.

    The unit holds only the master open, so either end notices when the other one closes. A pseudo-terminal cannot be
    used again after a hang-up; the next one has another path.
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
            tty.setraw(slave)  # no echo, even before the host has configured the port
        except termios.error as error:
            raise OSError(*error.args) from None
        self.path = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(self._master, False)
        self._poll = select.poll()
        self._poll.register(self._master, select.POLLIN)
        if self._link:
            self._link.point_to(self.path)

    def drop(self) -> None:
        hung_up = self._master
        self.plug()  # before the close, so that the new path differs from the old one, which the host may still use
        os.close(hung_up)

    @property
    def connected(self) -> bool:
        return not self._events(0) & select.POLLHUP

    @property
    def baud(self) -> int:
        import termios

        *_, speed, _ = termios.tcgetattr(self._master)  # the master shows what the host has set at its end
        return TOUCH_BAUD if speed == termios.B1200 else ANY_BAUD

    def read(self, wait: float = POLL_SECONDS) -> bytes:
        events = self._events(wait)
        data = b""
        if events & select.POLLIN:
            with contextlib.suppress(OSError):  # the host has left meanwhile
                data = os.read(self._master, CHUNK)
        if events & select.POLLHUP and not data:
            time.sleep(wait)  # without a host, poll returns at once
        return data

    def offer(self, data: bytes) -> int:
        return _send(data, self._send) if data and self.connected else 0

    def write(self, data: bytes, should_continue: ShouldContinue = always) -> bool:
        return _send_all(data, self._master, self._send, lambda: self.connected and should_continue())

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
    """A TCP port on 127.0.0.1 for one host at a time; a second host is refused. Port 0 selects a free port."""

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
        while select.select([self._listener], [], [], 0)[0]:  # also disconnect hosts that wait in the queue
            self._listener.accept()[0].close()

    @property
    def connected(self) -> bool:
        return self._host is not None

    @property
    def baud(self) -> int:
        return ANY_BAUD

    def read(self, wait: float = POLL_SECONDS) -> bytes:
        sockets = [self._listener] if self._host is None else [self._listener, self._host]
        readable, _, _ = select.select(sockets, [], [], wait)
        if self._host and self._host in readable:
            return self._receive(self._host)  # the unit must see the end of this connection before a new one
        if self._listener in readable:
            self._accept()
        return b""

    def write(self, data: bytes, should_continue: ShouldContinue = always) -> bool:
        if self._host is None:
            return False
        if not _send_all(data, self._host, self._host.send, should_continue):
            self._hang_up()  # a partial frame was sent, so the connection is unusable
            return False
        return True

    def offer(self, data: bytes) -> int:
        return _send(data, self._host.send) if data and self._host else 0

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


def _send(data: bytes, send: Callable[[bytes], int]) -> int:
    """Send to a non-blocking file. Return the number of bytes that it took; 0 also when the host has left."""
    try:
        return send(data)
    except OSError:
        return 0


def _send_all(
    data: bytes, file: int | socket.socket, send: Callable[[bytes], int], should_continue: ShouldContinue
) -> bool:
    """Send to a non-blocking file. Return False if the host has left, or reads nothing for WRITE_TIMEOUT."""
    deadline = time.monotonic() + WRITE_TIMEOUT
    while data and time.monotonic() < deadline and should_continue():
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
