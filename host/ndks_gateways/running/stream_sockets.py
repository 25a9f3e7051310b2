# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The TCP connection of one application, on the plain side of a tunnel."""

import asyncio
import contextlib
import socket
import struct
from typing import Protocol

from ..tunnel import frames
from ..tunnel.frames import Frame
from ..tunnel.streams import Stream
from .capsules import Capsules
from .turns import Turns

_PIECE = 128 << 10  # bytes that a transport is given at once: when the application has taken them, credit goes back
# Linger for no time: the system resets the connection, even when this process is killed, and no application mistakes
# the part that came for the whole. A stream that is over is closed as usual.
RESET, _USUAL = struct.pack("ii", 1, 0), struct.pack("ii", 0, 0)


class Out(Protocol):
    """Where frames go."""

    @property
    def may_send(self) -> bool: ...

    @property
    def is_idle(self) -> bool: ...

    def count(self, frame: bytes) -> None: ...

    def begin_again(self) -> None: ...


class Owner(Protocol):
    """Whom a connection reports to: `Sockets`."""

    out: Out
    turns: Turns
    room: memoryview

    def limit(self, stream: Stream, *, has_turn: bool = False) -> int: ...

    def opened(self, opened: "StreamSocket") -> Stream | None: ...

    def sent(self, sender: "StreamSocket", stream: Stream, octets: int) -> None: ...

    def received(self, octets: int) -> None: ...

    def taken(self, stream: Stream, octets: int) -> None: ...

    def finish(self, stream: Stream) -> None: ...

    def lost(self, lost: "StreamSocket", stream: Stream) -> None: ...


class StreamSocket(asyncio.BufferedProtocol):
    """One connection and its stream. At A it exists before its stream does."""

    def __init__(self, sockets: Owner, stream: Stream | None) -> None:
        self.stream = stream
        self._sockets = sockets
        self._transport: asyncio.Transport | None = None
        self._late = bytearray()  # what the transport gets when it has nothing left
        self._is_eof_late = False
        self._is_stuck = True  # there is no connection yet, or the application does not take what came
        self._has_ended = False  # it sends no more: reading again would say so for ever
        self._untold = 0  # bytes that came and are not counted as taken
        self._has_turn = False  # it may read much
        self._is_held = False  # what it sent is being sealed by the unit
        self._opening = 0  # capsules for it that the unit has not opened yet

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(0)  # it keeps an object for each write; many small ones would take memory
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._linger(RESET)
        self.stream = self.stream or self._sockets.opened(self)
        if self.stream is None:
            self.abort()
            return
        self._is_stuck = False
        self._hand_over()
        self._pause_if_needed(self.stream)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        assert self.stream is not None
        return self._sockets.room[: self._sockets.limit(self.stream, has_turn=self._has_turn)]

    def buffer_updated(self, nbytes: int) -> None:
        stream = self.stream
        assert stream is not None
        self._has_turn = False
        self._sockets.sent(self, stream, nbytes)
        self._pause_if_needed(stream)

    def hold(self) -> None:
        """Read no more until `release`."""
        self._is_held = True

    def release(self) -> None:
        self._is_held = False
        self.go_on()

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
        # Later: asyncio up to Python 3.11 fails when a write fails in here.
        asyncio.get_running_loop().call_soon(self._hand_over)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if self.stream:
            self._sockets.lost(self, self.stream)

    def receive(self, frame: Frame) -> None:
        """Take a frame of the stream, in order."""
        if frame.kind == frames.DATA:
            self.write(frame.data, len(frame.data))
        elif frame.kind == frames.FIN:
            self.write_eof()
        elif frame.kind == frames.CREDIT:
            self.go_on()

    def receive_capsule(self, frame: Frame, capsules: Capsules) -> None:
        """Take a frame of the stream, in order, whose data is a capsule."""
        if frame.kind == frames.DATA:
            self._opening += 1
            size = len(frame.data)
            capsules.open(bytes(frame.data), lambda data: self._opened(data, size), lambda _: self._refused())
        elif frame.kind == frames.FIN and self._opening:
            capsules.after_opening(self.write_eof)
        else:
            self.receive(frame)

    def _opened(self, data: bytes, octets: int) -> None:
        self._opening -= 1
        self.write(memoryview(data), octets)

    def _refused(self) -> None:
        """End the connection, for bytes are missing; there may be none yet, which would get what comes after them."""
        if self._transport is None and self.stream:
            self._sockets.lost(self, self.stream)
        self.abort()

    def go_on(self) -> None:
        """Read again in turn, if there is credit."""
        if self._transport and not (self._transport.is_reading() or self._has_ended or self._is_held):
            self._sockets.turns.wait(self)

    def resume(self) -> None:
        """Read again: it is this one's turn."""
        if not self.stream or not self._sockets.limit(self.stream):
            return
        if self._transport and not self._has_ended and not self._is_held:
            self._has_turn = True
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close at once, and let the application see that its connection was reset."""
        if self._transport and not self._transport.is_closing():
            self._transport.abort()

    def _pause_if_needed(self, stream: Stream) -> None:
        assert self._transport is not None
        if self._is_held or not self._sockets.limit(stream):
            self._transport.pause_reading()  # until `release`, or until there is credit
        elif not self._sockets.turns.may_read:
            self._transport.pause_reading()
            self._sockets.turns.wait(self)

    def write(self, data: memoryview, octets: int) -> None:
        """Give data to the application; it took `octets` bytes of credit."""
        if self._transport and self._transport.is_closing():
            return
        self._sockets.received(len(data))
        self._untold += octets
        if self._is_stuck or self._late or self._transport is None:
            self._late += data
        else:
            self._transport.write(data)
            self._give_back()

    def _hand_over(self) -> None:
        """Give the transport what is late, as long as it takes it."""
        assert self._transport is not None
        while self._late and not self._is_stuck and not self._transport.is_closing():
            piece = self._late[:_PIECE]
            del self._late[:_PIECE]
            self._transport.write(piece)
        if not self._is_stuck and not self._transport.is_closing():
            self._give_back()
            if self._is_eof_late and not self._late:
                self._is_eof_late = False
                self.write_eof()

    def _give_back(self) -> None:
        """Give credit back for what the application's side of the system has taken."""
        assert self.stream is not None
        assert self._transport is not None
        taken = self._untold - self._transport.get_write_buffer_size() - len(self._late)
        if taken > 0:
            self._untold -= taken
            self._sockets.taken(self.stream, taken)

    def write_eof(self) -> None:
        """Tell the application that nothing more comes."""
        if self._late or self._transport is None:
            self._is_eof_late = True
            return
        if not self._transport.is_closing():
            try:
                self._transport.write_eof()
            except OSError:  # the application has reset it, which goes unseen while nothing is read
                self.abort()
                return
        assert self.stream is not None
        self._close_if_over(self.stream)

    def _close_if_over(self, stream: Stream) -> None:
        if stream.is_over and self._transport and not self._opening and not self._late:
            self._linger(_USUAL)
            self._transport.close()

    def _linger(self, how: bytes) -> None:
        assert self._transport is not None
        with contextlib.suppress(OSError):
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, how)
