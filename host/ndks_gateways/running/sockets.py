# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The TCP connections of applications, on the plain side of a tunnel: each is a stream."""

import asyncio
import socket
import sys

from ..tunnel import frames
from ..tunnel.frames import Frame
from ..tunnel.streams import NumbersSpent, Stream, Streams
from .capsules import Capsules, most_plain
from .listening import call
from .settings import Address
from .stream_sockets import RESET, Out, StreamSocket
from .tally import Tally
from .turns import Turns

BACKLOG = 1024  # connections that come at once
_FEW = 1024  # bytes of an application that go before its turn, so that one that sends little never waits
_MUCH = 4 * frames.MOST_DATA  # bytes that are read at once while nothing waits for the line: that saves CPU


def reset_if_killed(server: asyncio.Server) -> None:
    """Let connections of a server be reset if this process is killed, from the moment they are accepted."""
    for each in server.sockets:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)  # new sockets inherit what the listening one has


class Sockets:
    """All connections of one end. `inner` is where B connects to; A accepts there."""

    def __init__(
        self, streams: Streams, out: Out, inner: Address, tally: Tally, capsules: Capsules | None = None
    ) -> None:
        self.out = out
        self._capsules = capsules
        self.turns = Turns(lambda: out.may_send)
        self.room = memoryview(bytearray(_MUCH))  # one for all: what was read is taken at once
        self.most = sys.maxsize  # connections
        self._streams = streams
        self._inner = inner
        self._tally = tally
        self._sockets: dict[int, StreamSocket] = {}
        self._dialling: dict[int, asyncio.Task[None]] = {}
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._sockets)

    @property
    def free(self) -> int:
        """How many more connections there may be."""
        return self.most - len(self)

    def close(self) -> None:
        """Abort all connections, and those that are being accepted."""
        self._is_closed = True
        self.reset()

    def limit(self, stream: Stream, *, has_turn: bool = False) -> int:
        """Return how many bytes may be read for a stream now: few when it is not its turn."""
        most = most_plain(stream.credit) if self._capsules else stream.credit
        if not (has_turn or self.turns.may_read):
            return min(most, _FEW)
        return most if self.out.is_idle else min(most, frames.MOST_DATA)

    def accepted(self) -> StreamSocket:
        """Return the protocol of a connection that an application made."""
        return StreamSocket(self, None)

    def receive(self, frame: Frame) -> None:
        """Take a frame of a stream. StreamError."""
        stream = self._streams.receive(frame)
        if stream is None:
            return
        if frame.kind == frames.OPEN:
            self._dial(stream)
        elif frame.kind == frames.RESET:
            self._tally.resets += 1
            self._drop(stream.number)
        elif found := self._sockets.get(stream.number):
            if self._capsules:
                found.receive_capsule(frame, self._capsules)
            else:
                found.receive(frame)

    def go_on(self) -> None:
        """Let all connections that have credit now be read."""
        for each in self._sockets.values():
            each.go_on()

    def reset(self) -> None:
        """Abort all connections, without a word to the other end, which knows none of them."""
        self._tally.resets += len(self._sockets)
        for number in list(self._sockets):
            self._drop(number)

    def opened(self, opened: StreamSocket) -> Stream | None:
        """Return the stream of a connection that was accepted; None: there can be none."""
        if self._is_closed or self.free <= 0:
            return None
        try:
            stream = self._streams.open()
        except NumbersSpent:
            self.out.begin_again()
            return None
        self._add(opened, stream)
        self.out.count(frames.frame(frames.OPEN, stream.number))
        return stream

    def sent(self, sender: StreamSocket, stream: Stream, octets: int) -> None:
        """Send what is in `room`."""
        self._tally.sent += octets
        data = self.room[:octets]
        if self._capsules:
            sender.hold()
            self._capsules.seal(bytes(data), lambda capsule: self._sealed(sender, stream, capsule))
        else:
            for at in range(0, octets, frames.MOST_DATA):
                self._count(stream, data[at : at + frames.MOST_DATA])

    def _sealed(self, sender: StreamSocket, stream: Stream, capsule: bytes) -> None:
        if self._sockets.get(stream.number) is sender:
            self._count(stream, capsule)
            sender.release()

    def _count(self, stream: Stream, data: bytes | memoryview) -> None:
        stream.sent(len(data))
        self.out.count(frames.frame(frames.DATA, stream.number, data))

    def taken(self, stream: Stream, octets: int) -> None:
        """Give credit back."""
        if back := stream.taken(octets):
            self.out.count(frames.credit(stream.number, back))

    def received(self, octets: int) -> None:
        """Note that an application is given `octets` bytes."""
        self._tally.received += octets

    def finish(self, stream: Stream) -> None:
        """Tell the other end that an application sends no more."""
        if stream.number in self._sockets:
            self._streams.finish(stream)
            self.out.count(frames.frame(frames.FIN, stream.number))

    def lost(self, lost: StreamSocket, stream: Stream) -> None:
        """Note that a connection is gone; if its stream is not over, the other end aborts too."""
        self.turns.leave(lost)
        if self._sockets.get(stream.number) is lost:
            self._forget(stream.number)
            if not stream.is_over:
                self._tally.resets += 1
                self._streams.drop(stream)
                self.out.count(frames.frame(frames.RESET, stream.number))

    def _add(self, added: StreamSocket, stream: Stream) -> None:
        self._sockets[stream.number] = added
        self._tally.streams += 1

    def _forget(self, number: int) -> StreamSocket:
        if task := self._dialling.pop(number, None):
            task.cancel()
        return self._sockets.pop(number)

    def _drop(self, number: int) -> None:
        if number in self._sockets:
            self._forget(number).abort()

    def _dial(self, stream: Stream) -> None:
        made = StreamSocket(self, stream)
        self._add(made, stream)
        if self.free < 0:
            self.lost(made, stream)
        else:
            self._dialling[stream.number] = asyncio.create_task(self._dialled(made, stream))

    async def _dialled(self, made: StreamSocket, stream: Stream) -> None:
        try:
            await call(lambda: made, self._inner)
        except OSError:
            self._dialling.pop(stream.number, None)
            self.lost(made, stream)
        else:
            self._dialling.pop(stream.number, None)
