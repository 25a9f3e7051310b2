# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Frames from PROTOCOL.md section 5 alone: nothing of the project is imported here."""

import struct
import zlib
from collections.abc import Iterator

MAX_PAYLOAD = 1120
_SMALLEST = 9  # bytes of kind, id, CRC

Event = tuple[int, int, bytes] | str  # kind, id, payload; or why it was dropped


def cobs(data: bytes) -> bytes:
    """Encode by Consistent Overhead Byte Stuffing, byte by byte; no final 01 follows a full group."""
    out = bytearray()
    group = bytearray()
    open_group = True
    for byte in data:
        open_group = True
        if byte:
            group.append(byte)
        if not byte or len(group) == 254:
            out += bytes([len(group) + 1]) + group
            open_group = not byte
            group.clear()
    if open_group:
        out += bytes([len(group) + 1]) + group
    return bytes(out)


def frame(kind: int, request_id: int, payload: bytes) -> bytes:
    body = struct.pack(">BI", kind, request_id) + payload
    return cobs(body + struct.pack(">I", zlib.crc32(body))) + b"\0"


class ReferenceDecoder:
    """A minimal decoder of PROTOCOL.md section 5; it keeps all bytes since the last delimiter."""

    def __init__(self, max_payload: int = MAX_PAYLOAD) -> None:
        self.limit(max_payload)
        self.reset()

    def limit(self, max_payload: int) -> None:
        self._largest = max_payload + _SMALLEST

    def reset(self) -> None:
        self._received = b""
        self._is_too_long = False

    def events(self, data: bytes) -> Iterator[Event]:
        *ended, begun = data.split(b"\0")
        for part in ended:
            self._collect(part)
            received, is_too_long = self._received, self._is_too_long
            self.reset()
            if is_too_long:
                yield "OVERSIZE"
            elif received:
                yield self._event(received)
        self._collect(begun)

    def _collect(self, part: bytes) -> None:
        self._received += part
        # A limit may be raised again, but what was too long once stays so.
        longest = self._largest + self._largest // 254 + 1
        self._is_too_long = self._is_too_long or len(self._received) > longest

    def _event(self, stuffed: bytes) -> Event:
        body = _unstuffed(stuffed)
        if body is None:
            return "COBS"
        if len(body) < _SMALLEST:
            return "SHORT"
        if len(body) > self._largest:
            return "OVERSIZE"
        if zlib.crc32(body[:-4]) != int.from_bytes(body[-4:]):
            return "CRC"
        return body[0], int.from_bytes(body[1:5]), body[5:-4]


def _unstuffed(stuffed: bytes) -> bytes | None:
    groups = []
    while stuffed:
        run, rest = stuffed[1 : stuffed[0]], stuffed[stuffed[0] :]
        if stuffed[0] == 0 or len(run) != stuffed[0] - 1:
            return None
        groups.append(run if len(run) == 254 or not rest else run + b"\0")
        stuffed = rest
    return b"".join(groups)
