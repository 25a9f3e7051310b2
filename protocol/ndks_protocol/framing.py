# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Frames on the serial line (PROTOCOL.md section 5).

    wire = COBS(kind u8 || request id u32 || payload || CRC-32 u32) || 00

Bytes in, events out: unit and host use the same code. A `Decoder` allocates one buffer of fixed size.
"""

import binascii
import struct

from .wire import MAX_CHUNK

try:
    from collections.abc import Iterator
except ImportError:  # not on the board, where annotations are not evaluated
    pass

# Room for a chunk with the overhead of sealing (48 bytes) and of a session (24 bytes), and 24 spare bytes.
MAX_PAYLOAD = MAX_CHUNK + 96
MAX_PAYLOAD_BEFORE_SESSION = 128
ANSWER = 0x80  # the kind of an answer is the kind of its request with this bit set
ERROR = 0xFF  # the kind of an answer that carries an error code

_HEADER = ">BI"
HEADER_SIZE = 5
_CRC_SIZE = 4
_FULL_GROUP = 254  # the longest run without a zero that one COBS code byte covers

# Reasons why a decoder dropped a frame
COBS = "COBS"  # a code byte is zero or points past the end
SHORT = "SHORT"  # shorter than header and CRC
CRC = "CRC"  # wrong checksum
OVERSIZE = "OVERSIZE"  # longer than the largest payload allowed


class Frame:
    """A frame with a correct checksum."""

    def __init__(self, kind: int, request_id: int, payload: "bytes | memoryview"):
        self.kind = kind
        self.request_id = request_id
        self.payload = payload


class FrameError:
    """Bytes between two delimiters that are not a valid frame; `reason` is COBS, SHORT, CRC or OVERSIZE."""

    def __init__(self, reason: str):
        self.reason = reason


def cobs_size(size: int) -> int:
    """Return the maximum size in bytes after encoding `size` bytes."""
    return size + size // _FULL_GROUP + 1


def cobs_encode(data: "bytes | bytearray") -> bytes:
    """Return `data` encoded by Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999).

    The result has no zero bytes. It is one byte longer, plus one byte per full group of 254. The encoder omits a
    final 01 after a full group.
    """
    out = bytearray(cobs_size(len(data)))
    return bytes(memoryview(out)[: cobs_encode_into(data, len(data), out)])


def cobs_encode_into(data: "bytes | bytearray", size: int, out: bytearray) -> int:
    """Encode the first `size` bytes of `data` into `out`, and return the number of bytes written."""
    view = memoryview(data)
    position = written = 0
    while True:
        zero = data.find(b"\0", position, min(position + _FULL_GROUP, size))
        if zero < 0 and size - position >= _FULL_GROUP:
            end = position + _FULL_GROUP
            following = end
        else:
            end = size if zero < 0 else zero
            following = end + 1
        run = end - position
        out[written] = run + 1
        out[written + 1 : written + 1 + run] = view[position:end]
        written += run + 1
        position = following
        # If the data end with a zero, an empty last group remains to be written.
        if position > size or (position == size and run == _FULL_GROUP):
            return written


def cobs_decode_in_place(view: memoryview, size: int) -> int:
    """Decode the first `size` bytes of `view` in place; return the decoded size, or -1 for an invalid encoding."""
    position = written = 0
    while position < size:
        code = view[position]
        end = position + code
        if code == 0 or end > size:
            return -1
        run = code - 1
        view[written : written + run] = view[position + 1 : end]
        written += run
        position = end
        if run < _FULL_GROUP and position < size:
            view[written] = 0
            written += 1
    return written


def encode(kind: int, request_id: int, payload: bytes) -> bytes:
    """Return one encoded frame with its delimiter."""
    encoder = Encoder(len(payload))
    encoder.body[HEADER_SIZE : HEADER_SIZE + len(payload)] = payload
    return bytes(encoder.finish(kind, request_id, len(payload)))


class Encoder:
    """An encoder with preallocated buffers, so that a board does not collect garbage in the middle of a stream.

    The caller writes the payload of the next frame to `body`, from HEADER_SIZE on.
    """

    def __init__(self, max_payload: int = MAX_PAYLOAD):
        if max_payload > MAX_PAYLOAD:
            raise ValueError("payload too long for a frame")
        largest = HEADER_SIZE + max_payload + _CRC_SIZE
        self.body = bytearray(largest)
        self.view = memoryview(self.body)
        self._wire = bytearray(cobs_size(largest) + 1)
        self._wire_view = memoryview(self._wire)

    def finish(self, kind: int, request_id: int, size: int) -> memoryview:
        """Return the encoded frame for a payload of `size` bytes. The view is valid until the next call."""
        end = HEADER_SIZE + size
        struct.pack_into(_HEADER, self.body, 0, kind, request_id)
        struct.pack_into(">I", self.body, end, binascii.crc32(self.view[:end]))
        written = cobs_encode_into(self.body, end + _CRC_SIZE, self._wire)
        self._wire[written] = 0
        return self._wire_view[: written + 1]


class Decoder:
    """A decoder that turns received bytes, split anywhere, into `Frame` and `FrameError` events.

    `event` is what the latest call of `take` has completed, or None.
    """

    def __init__(self, max_payload: int = MAX_PAYLOAD):
        self.limit(max_payload)
        self._buffer = bytearray(self._largest_encoded)
        self._view = memoryview(self._buffer)
        self._size = 0
        self._overrun = False
        self.event: "Frame | FrameError | None" = None

    def limit(self, max_payload: int) -> None:
        """Set the largest payload to accept. It must not exceed the limit given to the constructor."""
        self._largest = HEADER_SIZE + max_payload + _CRC_SIZE
        self._largest_encoded = cobs_size(self._largest)

    def reset(self) -> None:
        """Discard the bytes received since the last delimiter."""
        self._size = 0
        self._overrun = False

    def feed(self, data: bytes) -> "list[Frame | FrameError]":
        """Process received bytes, and return the events that they complete, in order."""
        return [_kept(event) for event in self.events(data)]

    def events(self, data: bytes) -> "Iterator[Frame | FrameError]":
        """Process `data` and yield the events that they complete, in order. See `take` for their payloads."""
        start = 0
        while start < len(data):
            start = self.take(data, start, len(data))
            if self.event:
                yield self.event

    def take(self, data: "bytes | bytearray", start: int, end: int) -> int:
        """Process data[start:end] up to the end of the first frame; return the position after it. Set `event`.

        The payload of a `Frame` is a view of the decoder's buffer. The caller may change it; the next event overwrites
        it.
        """
        delimiter = data.find(b"\0", start, end)
        if delimiter >= 0:
            end = delimiter
        size = self._size + end - start
        if self._overrun or size > self._largest_encoded:
            self._overrun = True
        elif end > start:
            self._view[self._size : size] = memoryview(data)[start:end]
            self._size = size
        # Two delimiters in a row make no event.
        self.event = self._finish() if delimiter >= 0 and (self._size or self._overrun) else None
        return end + 1

    def _finish(self) -> "Frame | FrameError":
        overrun, size = self._overrun, self._size
        self.reset()
        if overrun:
            return FrameError(OVERSIZE)
        size = cobs_decode_in_place(self._view, size)
        if size < 0:
            return FrameError(COBS)
        if size < HEADER_SIZE + _CRC_SIZE:
            return FrameError(SHORT)
        if size > self._largest:
            return FrameError(OVERSIZE)
        end = size - _CRC_SIZE
        if struct.unpack_from(">I", self._buffer, end)[0] != binascii.crc32(self._view[:end]):
            return FrameError(CRC)
        kind, request_id = struct.unpack_from(_HEADER, self._buffer, 0)
        return Frame(kind, request_id, self._view[HEADER_SIZE:end])


def _kept(event: "Frame | FrameError") -> "Frame | FrameError":
    return Frame(event.kind, event.request_id, bytes(event.payload)) if isinstance(event, Frame) else event
