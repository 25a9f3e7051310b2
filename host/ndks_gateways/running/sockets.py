# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The TCP connections of applications, on the plain side of a tunnel: each is a stream."""

import asyncio
import contextlib
import socket
import struct
from typing import Protocol

from ..tunnel import frames
from ..tunnel.frames import Frame
from ..tunnel.streams import NumbersSpent, Stream, Streams
from .settings import Address
from .tally import Tally
from .turns import Turns

BACKLOG = 1024  # connections that come at once
_HIGH, _LOW = 128 << 10, 32 << 10  # bytes that wait for an application to take them, within the credit of its stream
# Linger for no time: the system resets the connection, also when this process is killed, and no application takes the
# part that came for the whole. A stream that is over is closed as usual.
_RESET, _USUAL = struct.pack("ii", 1, 0), struct.pack("ii", 0, 0)


def reset_if_killed(server: asyncio.Server) -> None:
    """Let connections of a server be reset if this process is killed, from the moment on when they are accepted."""
    for each in server.sockets:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)  # the new ones have what the listening one has


class Out(Protocol):
    """Where frames go."""

    @property
    def may_send(self) -> bool: ...

    def count(self, frame: bytes) -> None: ...

    def begin_again(self) -> None: ...


class Socket(asyncio.BufferedProtocol):
    """One connection and its stream. At A it exists before its stream does."""

    def __init__(self, sockets: "Sockets", stream: Stream | None) -> None:
        self.stream = stream
        self._sockets = sockets
        self._transport: asyncio.Transport | None = None
        self._early: list[Frame] = []  # what came before the connection was made
        self._is_stuck = False  # the application does not take what came
        self._has_ended = False  # it sends no more: reading again would tell so for ever
        self._untold = 0  # bytes given to the transport that are not counted as taken

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(_HIGH, _LOW)
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._linger(_RESET)
        self.stream = self.stream or self._sockets.opened(self)
        if self.stream is None:
            self.abort()
            return
        early, self._early = self._early, []
        for frame in early:
            self.receive(frame)
        self._pause_if_needed(self.stream)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        assert self.stream is not None
        return self._sockets.room[: self.stream.credit]

    def buffer_updated(self, nbytes: int) -> None:
        stream = self.stream
        assert stream is not None
        self._sockets.sent(stream, nbytes)
        self._pause_if_needed(stream)

    def eof_received(self) -> bool:
        self._has_ended = True
        if self.stream:
            self._sockets.finish(self.stream)
            self._close_if_over(self.stream)
        return True  # it may still be written to

    def pause_writing(self) -> None:
        self._is_stuck = True

    def resume_writing(self) -> None:
        self._is_stuck = False
        self._give_back()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if self.stream:
            self._sockets.lost(self, self.stream)

    def receive(self, frame: Frame) -> None:
        """Take a frame of the stream, in order."""
        if self._transport is None:
            self._early.append(frame)
        elif frame.kind == frames.DATA:
            self._write(frame.data)
        elif frame.kind == frames.FIN:
            if not self._transport.is_closing():
                self._transport.write_eof()
            assert self.stream is not None
            self._close_if_over(self.stream)
        elif frame.kind == frames.CREDIT:
            self.go_on()

    def go_on(self) -> None:
        """Read again in turn, if there is credit."""
        if self._transport and not self._transport.is_reading() and not self._has_ended:
            self._sockets.turns.wait(self)

    def resume(self) -> None:
        """Read again: it is this one's turn."""
        if self.stream and self.stream.credit and self._transport and not self._has_ended:
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close at once, and let the application see that its connection was reset."""
        if self._transport and not self._transport.is_closing():
            self._transport.abort()

    def _pause_if_needed(self, stream: Stream) -> None:
        assert self._transport is not None
        if not stream.credit:
            self._transport.pause_reading()  # until there is credit
        elif not self._sockets.out.may_send:
            self._transport.pause_reading()
            self._sockets.turns.wait(self)

    def _write(self, data: memoryview) -> None:
        assert self._transport is not None
        if self._transport.is_closing():
            return
        self._transport.write(data)
        self._untold += len(data)
        if not self._is_stuck:
            self._give_back()

    def _give_back(self) -> None:
        """Give credit back for what the application's side of the system has taken."""
        assert self.stream is not None
        assert self._transport is not None
        taken = self._untold - self._transport.get_write_buffer_size()
        if taken > 0:
            self._untold -= taken
            self._sockets.taken(self.stream, taken)

    def _close_if_over(self, stream: Stream) -> None:
        if stream.is_over and self._transport:
            self._linger(_USUAL)
            self._transport.close()

    def _linger(self, how: bytes) -> None:
        assert self._transport is not None
        with contextlib.suppress(OSError):
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, how)


class Sockets:
    """All connections of one end. `inner` is where B connects to; A accepts there."""

    def __init__(self, streams: Streams, out: Out, inner: Address, tally: Tally) -> None:
        self.out = out
        self.turns = Turns(lambda: out.may_send)
        self.room = memoryview(bytearray(frames.MOST_DATA))  # one for all: what was read is taken at once
        self._streams = streams
        self._inner = inner
        self._tally = tally
        self._sockets: dict[int, Socket] = {}
        self._dialling: dict[int, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._sockets)

    def accepted(self) -> Socket:
        """Return the protocol of a connection that an application made."""
        return Socket(self, None)

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
            if frame.kind == frames.DATA:
                self._tally.received += len(frame.data)
            found.receive(frame)

    def go_on(self) -> None:
        """Let all be read that have credit now."""
        for each in self._sockets.values():
            each.go_on()

    def reset(self) -> None:
        """Abort all connections, without a word to the other end, which knows none of them."""
        self._tally.resets += len(self._sockets)
        for number in list(self._sockets):
            self._drop(number)

    def opened(self, opened: Socket) -> Stream | None:
        """Return the stream of a connection that was accepted, None: there can be none."""
        try:
            stream = self._streams.open()
        except NumbersSpent:
            self.out.begin_again()
            return None
        self._add(opened, stream)
        self.out.count(frames.frame(frames.OPEN, stream.number))
        return stream

    def sent(self, stream: Stream, octets: int) -> None:
        """Send what is in `room`."""
        stream.sent(octets)
        self._tally.sent += octets
        self.out.count(frames.frame(frames.DATA, stream.number, self.room[:octets]))

    def taken(self, stream: Stream, octets: int) -> None:
        """Give credit back."""
        if back := stream.taken(octets):
            self.out.count(frames.credit(stream.number, back))

    def finish(self, stream: Stream) -> None:
        """Tell that an application sends no more."""
        if stream.number in self._sockets:
            self._streams.finish(stream)
            self.out.count(frames.frame(frames.FIN, stream.number))

    def lost(self, lost: Socket, stream: Stream) -> None:
        """Note that a connection is gone; if its stream is not over, the other end aborts too."""
        self.turns.leave(lost)
        if self._sockets.get(stream.number) is lost:
            self._forget(stream.number)
            if not stream.is_over:
                self._tally.resets += 1
                self._streams.drop(stream)
                self.out.count(frames.frame(frames.RESET, stream.number))

    def _add(self, added: Socket, stream: Stream) -> None:
        self._sockets[stream.number] = added
        self._tally.streams += 1

    def _forget(self, number: int) -> Socket:
        if task := self._dialling.pop(number, None):
            task.cancel()
        return self._sockets.pop(number)

    def _drop(self, number: int) -> None:
        if number in self._sockets:
            self._forget(number).abort()

    def _dial(self, stream: Stream) -> None:
        made = Socket(self, stream)
        self._add(made, stream)
        self._dialling[stream.number] = asyncio.create_task(self._dialled(made, stream))

    async def _dialled(self, made: Socket, stream: Stream) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: made, *self._inner)
        except OSError:
            self._dialling.pop(stream.number, None)
            self.lost(made, stream)
        else:
            self._dialling.pop(stream.number, None)
