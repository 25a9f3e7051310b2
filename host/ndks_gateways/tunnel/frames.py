# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Frames, the contents of records: kind u8 | stream u32 | data. Numbers are big endian.

    kind       stream     data
    0 OPEN     a new one  none          A has a connection for B
    1 DATA     yes        1 to 64 KB    bytes of a connection
    2 FIN      yes        none          no more DATA in this direction
    3 CREDIT   yes        u32           so many more bytes may be sent in the other direction
    4 RESET    yes        none          the connection is gone, in both directions
    5 ACK      0          u64           so many frames that count were received
    6 PING     0          none          the link lives
    7 END      0          none          the last frame on this link in this direction
    8 CARRY    0          0 to 64 KB    a datagram of an agent

All but ACK, PING, END and CARRY count: they are numbered and kept (see delivery).
"""

import struct
from typing import NamedTuple

from ndks.exceptions import NdksError

OPEN, DATA, FIN, CREDIT, RESET, ACK, PING, END, CARRY = range(9)

MOST_DATA = 1 << 16  # bytes in one frame
HEAD = struct.Struct(">BI")
_COUNTING = frozenset((OPEN, DATA, FIN, CREDIT, RESET))
_SIZES = {  # of data: least and most
    OPEN: (0, 0),
    DATA: (1, MOST_DATA),
    FIN: (0, 0),
    CREDIT: (4, 4),
    RESET: (0, 0),
    ACK: (8, 8),
    PING: (0, 0),
    END: (0, 0),
    CARRY: (0, MOST_DATA),
}


class FrameError(NdksError):
    """A frame of the peer is invalid: unknown kind, wrong size, or a stream where none belongs. Its link ends."""

    code = "TUNNEL_FRAME"
    exit_status = 4
    usual_advice = "use the same version of ndks at both ends"


class Frame(NamedTuple):
    """A frame that was received. `data` is a view of bytes that nobody changes, so it may be kept."""

    kind: int
    stream: int
    data: memoryview

    @property
    def counts(self) -> bool:
        return self.kind in _COUNTING

    @property
    def number(self) -> int:
        """The number in an ACK or CREDIT."""
        return int.from_bytes(self.data, "big")


def frame(kind: int, stream: int = 0, data: "bytes | bytearray | memoryview" = b"") -> bytes:
    """Pack a frame; a frame of DATA is the one copy of what a connection sent, until the peer has it."""
    return b"".join((HEAD.pack(kind, stream), data))


def ack(received: int) -> bytes:
    return frame(ACK, 0, received.to_bytes(8, "big"))


def credit(stream: int, octets: int) -> bytes:
    return frame(CREDIT, stream, octets.to_bytes(4, "big"))


def parse(content: bytes) -> Frame:
    """Take the content of a record apart. FrameError."""
    if len(content) < HEAD.size:
        raise FrameError(f"a frame of {len(content)} bytes is too short")
    kind, stream = HEAD.unpack_from(content)
    if kind not in _SIZES:
        raise FrameError(f"there is no frame of kind {kind}")
    data = memoryview(content)[HEAD.size :]
    least, most = _SIZES[kind]
    if not least <= len(data) <= most:
        raise FrameError(f"a frame of kind {kind} has {len(data)} bytes of data")
    if (stream == 0) == (kind in _COUNTING):
        raise FrameError(f"a frame of kind {kind} names stream {stream}")
    return Frame(kind, stream, data)
