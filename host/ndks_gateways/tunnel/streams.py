# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Streams, the connections in a tunnel: numbers, credit, half-close. Bookkeeping only: frames are the caller's to send.

A (`--listen`) alone opens streams, with numbers that go up from 1 and do not come twice between two processes. In each
direction a stream has credit of the receiver's window (1 MB). DATA uses it up, and CREDIT gives it back when the local
connection has taken the bytes, so a connection that stalls holds up no other. A stream is gone after FIN in both
directions, or RESET in one.
"""

from ndks.exceptions import NdksError

from .frames import CREDIT, FIN, OPEN, RESET, Frame

WINDOW = 1 << 20  # bytes that the peer may send on a stream before the local connection takes any
_MOST_STREAMS = (1 << 32) - 1


class StreamError(NdksError):
    """The peer broke a rule of streams: more DATA than credit, DATA after FIN, a stream that it may not open.

    The frame was counted already, so both ends have to forget all: `Delivery.begin_again`.
    """

    code = "TUNNEL_STREAM"
    exit_status = 4
    usual_advice = "use the same version of ndks at both ends"


class NumbersSpent(StreamError):
    """All 2^32 - 1 numbers of streams were used: `Delivery.begin_again`."""

    code = "TUNNEL_STREAMS_SPENT"
    usual_advice = "the connections in the tunnel end, and numbers begin again"

    def __init__(self) -> None:
        super().__init__("all numbers of streams were used")


class Stream:
    """One connection."""

    def __init__(self, number: int, window: int, peer_window: int) -> None:
        self.number = number
        self.credit = peer_window  # bytes that may be sent now
        self.is_finished_here = False  # FIN was sent
        self.is_finished_there = False  # FIN was received
        self._peer_window = peer_window
        self._window = window
        self._room = window  # bytes that the peer may send now
        self._owed = 0  # bytes that the local connection took, and that were not given back

    @property
    def is_over(self) -> bool:
        return self.is_finished_here and self.is_finished_there

    def meet(self, peer_window: int) -> None:
        """Take the window of a peer that was not known when the stream was opened."""
        self.credit = self._peer_window = peer_window

    def sent(self, octets: int) -> None:
        """Use credit up. ValueError: there is not so much."""
        if octets > self.credit:
            raise ValueError(f"{octets} bytes, and credit of {self.credit}")
        self.credit -= octets

    def taken(self, octets: int) -> int:
        """Note that the local connection took `octets` bytes; return how many to give back as CREDIT now (0: none)."""
        self._owed += octets
        if self._owed < self._window // 4 or self.is_finished_there:
            return 0
        given, self._owed = self._owed, 0
        self._room += given
        return given

    def receive(self, frame: Frame) -> None:
        """Note DATA, CREDIT or FIN. StreamError."""
        if frame.kind == CREDIT:
            self.credit += frame.number
            if self.credit > self._peer_window:
                raise StreamError(f"the peer gave stream {self.number} more credit than its window")
            return
        if self.is_finished_there:
            raise StreamError(f"the peer sent on stream {self.number} after FIN")
        self._room -= len(frame.data)
        if self._room < 0:
            raise StreamError(f"the peer sent more on stream {self.number} than it has credit for")
        self.is_finished_there = frame.kind == FIN


class Streams:
    """The streams of one end. What is open is in `table` under its number."""

    def __init__(self, opens: bool, window: int = WINDOW) -> None:
        self.table: dict[int, Stream] = {}
        self._opens = opens  # A
        self._window = window
        self._last = 0
        self._peer_window: int | None = None

    def reset(self) -> None:
        """Begin anew: at `Attached.is_reset`, and with `Delivery.begin_again`. Abort all local connections."""
        self.table.clear()
        self._last = 0
        self._peer_window = None

    def meet(self, peer_window: int) -> None:
        """Take the peer's window, in bytes, from the handshake of each link (of one process it is always the same).

        Streams that A opened before it had a peer have credit from now on.
        """
        if self._peer_window is None:
            self._peer_window = peer_window
            for stream in self.table.values():
                stream.meet(peer_window)

    def open(self) -> Stream:
        """Number a new stream; OPEN is to be sent next. Its credit is 0 until there is a peer. NumbersSpent."""
        if self._last == _MOST_STREAMS:
            raise NumbersSpent
        return self._add(self._last + 1)

    def _add(self, number: int) -> Stream:
        self._last = number
        self.table[number] = stream = Stream(number, self._window, self._peer_window or 0)
        return stream

    def finish(self, stream: Stream) -> None:
        """Note that FIN is sent; the stream leaves the table when the other direction is finished too."""
        stream.is_finished_here = True
        self._forget_if_over(stream)

    def drop(self, stream: Stream) -> None:
        """Note that RESET is sent: what still comes for this stream is ignored."""
        self.table.pop(stream.number, None)

    def receive(self, frame: Frame) -> Stream | None:
        """Note a frame of a stream; return the stream that the caller has to act on, or None: it is gone already.

        OPEN: dial. DATA: give it to the local connection, or queue it (at most a window). FIN: write EOF after it.
        CREDIT: read on. RESET: abort the local connection. StreamError.
        """
        if frame.kind == OPEN:
            return self._opened(frame.stream)
        stream = self.table.get(frame.stream)
        if stream is None:
            if frame.stream > self._last:
                raise StreamError(f"stream {frame.stream} was never opened")
            return None
        if frame.kind == RESET:
            self.drop(stream)
        else:
            stream.receive(frame)
            self._forget_if_over(stream)
        return stream

    def _opened(self, number: int) -> Stream:
        if self._opens or number <= self._last:
            raise StreamError(f"the peer may not open stream {number}")
        return self._add(number)

    def _forget_if_over(self, stream: Stream) -> None:
        if stream.is_over:
            self.drop(stream)
