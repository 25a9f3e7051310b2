# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packets through a tunnel that runs here, tunnel:NAME, to the agent at its other end. It may be the only channel.

Where both ends run here, tunnel:NAME?end=listen and tunnel:NAME?end=accept name one of them.

On the socket `carry` of a tunnel, both sides send: size u32 | mark u32 | packet. The mark of a bundle is its generation
+ 1, else 0. A message of the tunnel without a packet says whether it has a link: mark 1, or 0.
"""

import socket
import struct
import threading
from collections import deque
from pathlib import Path

from ..exceptions import NdksError, UsageError, reason
from .carrier import BUNDLES, LARGEST, ROOM, WAITING, CarrierError, Receive, Received, problem_of, tell
from .tunnel_sockets import CARRY, ENDS, sockets

HEAD = struct.Struct(">II")
UP, DOWN = HEAD.pack(0, 1), HEAD.pack(0, 0)
_PAUSES = 0.1, 0.2, 0.5, 1.0, 2.0, 5.0  # seconds between attempts to reach the tunnel


def packed(packet: bytes, generation: int | None = None) -> bytes:
    """Return a message with a packet; a bundle has its generation."""
    return HEAD.pack(len(packet), 0 if generation is None else generation + 1) + packet


class TunnelCarrier:
    """A tunnel of this user. What waits for its link is sent when there is one; agents ask for what a link loses."""

    largest = None
    retains = False

    def __init__(self, url: str) -> None:
        self.url = url
        self.problem: NdksError | None = CarrierError("not connected yet")
        self._name, question, end = url.partition(":")[2].partition("?")
        self._ends = tuple(each for each in ENDS if end == f"end={each}") if question else ENDS
        if not self._name or "/" in self._name or self._name.startswith(".") or not self._ends:
            raise UsageError(f"{url} names no tunnel", "write it as tunnel:NAME or tunnel:NAME?end=accept")
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._news: deque[bytes] = deque()  # bundles: a tunnel gets them before it has a link, which may need them
        self._bundles: dict[int, bytes] = {}  # of the last generations: a tunnel that starts gets them again
        self._connection: socket.socket | None = None
        self._is_up = False
        self._is_closing = threading.Event()
        self._threads = [threading.Thread(target=run, name="tunnel", daemon=True) for run in (self._read, self._write)]

    def start(self, receive: Receive) -> None:
        self._receive = receive
        for thread in self._threads:
            thread.start()

    def send(self, packet: bytes, generation: int | None = None, *, passing: bool = False) -> bool:
        with self._changed:
            if generation is not None:
                self._keep(packet, generation)
            if passing and not self._is_up:
                return True  # it would be out of date
            if len(self._waiting) >= WAITING:
                return False
            self._waiting.append(packed(packet, generation))
            self._changed.notify_all()
        return True

    def _keep(self, packet: bytes, generation: int) -> None:
        self._bundles[generation] = packet
        for old in sorted(self._bundles)[:-BUNDLES]:
            del self._bundles[old]
        if self._connection and not self._is_up:
            self._news.append(packed(packet, generation))

    @property
    def has_room(self) -> bool:
        return self._is_up and len(self._waiting) < ROOM

    @property
    def is_idle(self) -> bool:
        return not (self._waiting or self.problem)

    def close(self) -> None:
        with self._changed:
            if self._is_up:
                self._changed.wait_for(lambda: not (self._waiting and self._is_up), 1.0)
            self._is_closing.set()
            self._changed.notify_all()
            if self._connection:
                self._connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(5.0)

    def _read(self) -> None:
        failures = 0
        while not self._is_closing.is_set():
            try:
                with self._connected() as connection:
                    failures = 0
                    self._serve(connection)
            except Exception as error:  # whatever happens to the tunnel, the carrier goes on
                tell(self, problem_of(error))
            self._set(None, is_up=False)
            self._is_closing.wait(_PAUSES[min(failures, len(_PAUSES) - 1)])
            failures += 1

    def _connected(self) -> socket.socket:
        problem = CarrierError(f"no tunnel {self._name} runs for this user", f"start it: ndks tunnel {self._name} ...")
        made: list[socket.socket] = []
        for path in sockets(CARRY, self._name, self._ends):
            try:
                made.append(_connected(path))
            except OSError as error:
                problem = CarrierError(f"tunnel {self._name} cannot be reached: {reason(error)}")
        if len(made) == 1:
            return made[0]
        for connection in made:
            connection.close()
        if made:
            advice = " or ".join(f"tunnel:{self._name}?end={end}" for end in ENDS)
            problem = CarrierError(f"both ends of tunnel {self._name} run here", f"name one as the carrier: {advice}")
        raise problem

    def _serve(self, connection: socket.socket) -> None:
        """Take what comes until the tunnel ends; the tunnel says at once whether it has a link."""
        self._set(connection, is_up=False)
        with connection.makefile("rb") as stream:
            while len(head := stream.read(HEAD.size)) == HEAD.size:
                size, mark = HEAD.unpack(head)
                if size > LARGEST:
                    break
                if size:
                    self._receive(Received(stream.read(size), lambda: None, self.url))
                else:
                    tell(self, None if mark else CarrierError(f"tunnel {self._name} has no link"))
                    self._set(connection, is_up=bool(mark))
        raise CarrierError(f"tunnel {self._name} has ended")

    def _set(self, connection: socket.socket | None, *, is_up: bool) -> None:
        with self._changed:
            if connection is not self._connection:
                self._news = deque(packed(packet, g) for g, packet in sorted(self._bundles.items()) if connection)
            self._connection, self._is_up = connection, is_up
            self._changed.notify_all()

    def _write(self) -> None:
        """Send what waits while there is a link."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closing.is_set() or self._may_go)
                queue = self._may_go
                if self._is_closing.is_set() or not queue:
                    return
                connection, message = self._connection, queue[0]
            try:
                assert connection is not None
                connection.sendall(message)
            except OSError:  # the other thread notices it too
                self._set(None, is_up=False)
                continue
            with self._changed:
                if queue and queue[0] is message:  # otherwise there is another connection by now
                    queue.popleft()
                self._changed.notify_all()

    @property
    def _may_go(self) -> deque[bytes] | None:
        """What is to be sent now, if anything is."""
        if self._connection and self._news:
            return self._news
        return self._waiting if self._is_up and self._waiting else None


def _connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(path))
    except BaseException:
        connection.close()
        raise
    return connection
