# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Streams, the connections in a tunnel: numbers, credit and half-close. Bookkeeping only; frames are the caller's to send.

A (`--listen`) alone opens streams, with numbers that go up from 1 and do not come twice between two processes. In each
direction a stream has credit of the peer's window (1 MB); DATA uses it up, and CREDIT gives it back when the local
connection has taken the bytes, so a connection that stalls holds up no other. Both directions finished, or RESET: it is gone.
"""

from ndks.exceptions import NdksError

from .frames import Frame

WINDOW = 1 << 20  # bytes that the peer may send on a stream before the local connection takes any


class StreamError(NdksError):
    """The peer broke a rule of streams: more DATA than credit, DATA after FIN, a stream that was never opened. Its link
    ends; end the stream's process pair with `Delivery.begin_again`, since the frame was counted.
    """

    code = "TUNNEL_STREAM"
    exit_status = 4
    usual_advice = "use the same version of ndks at both ends"


class NumbersSpent(StreamError):
    """All 2^32 - 1 numbers of streams are used up: `Delivery.begin_again`."""

    code = "TUNNEL_STREAMS_SPENT"
    usual_advice = "the connections in the tunnel end, and numbers begin again"


class Stream:
    """One connection. `credit` is what may be sent now."""

    def __init__(self, number: int, window: int, credit: int) -> None:
        self.number = number
        self.credit = credit
        self.is_finished_here = False  # FIN was sent
        self.is_finished_there = False  # FIN was received

    @property
    def is_over(self) -> bool:
        return self.is_finished_here and self.is_finished_there

    def sent(self, octets: int) -> None:
        """Use credit up; at most `credit` bytes (the caller's duty)."""
        raise NotImplementedError

    def taken(self, octets: int) -> int:
        """Note that the local connection took so many bytes; return how many to give back as CREDIT now (0: none)."""
        raise NotImplementedError


class Streams:
    """The streams of one end. An open stream is in `table` under its number."""

    def __init__(self, opens: bool, window: int = WINDOW) -> None:
        self.table: dict[int, Stream] = {}

    def reset(self, peer_window: int) -> None:
        """Begin with a peer's process: no stream, numbers from 1. peer_window: in bytes, from its handshake.

        A may open streams before it has a peer: call this when `Attached.is_reset`, and `meet` for the first peer.
        """
        raise NotImplementedError

    def meet(self, peer_window: int) -> None:
        """Give streams that were opened before the first peer was known their credit, and all later ones."""
        raise NotImplementedError

    def open(self) -> Stream:
        """Number a new stream; then send OPEN. Its credit is 0 until a peer is known. NumbersSpent."""
        raise NotImplementedError

    def finish(self, stream: Stream) -> None:
        """Note that FIN is sent; the stream leaves the table when the other direction is finished too."""
        raise NotImplementedError

    def drop(self, stream: Stream) -> None:
        """Note that RESET is sent: what still comes for this stream is ignored."""
        raise NotImplementedError

    def receive(self, frame: Frame) -> Stream | None:
        """Note a frame of a stream; return the stream that the caller has to act on, or None: it is gone already.

        OPEN: dial. DATA: give it to the local connection (or queue it: at most a window). FIN: write EOF. CREDIT: read on.
        RESET: abort the local connection. StreamError.
        """
        raise NotImplementedError
