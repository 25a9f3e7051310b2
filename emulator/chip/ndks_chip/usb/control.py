# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Control transfers on endpoint 0, one after the other (USB 2.0, 8.5.3 and 9.3)."""

import struct
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

_TO_HOST = 0x80
# After the status stage, until the device has retired the transfer: TinyUSB panics at a setup packet before that.
_GAP_NS = 300_000


class Request(NamedTuple):
    kind: int  # bmRequestType
    code: int
    value: int
    target: int  # wIndex
    length: int = 0
    data: bytes = b""  # to the device
    on_done: Callable[[bytes], None] | None = None

    def setup_packet(self) -> bytes:
        return struct.pack("<BBHHH", self.kind, self.code, self.value, self.target, self.length or len(self.data))


class ControlPipe:
    def __init__(self, controller: Any, clock: Any) -> None:
        self._controller = controller
        self._gap = clock.create_alarm(self._retire)
        self._waiting: deque[Request] = deque()
        self._current: Request | None = None
        self._received = bytearray()
        self._is_sent = self._is_ending = False

    def reset(self) -> None:
        self._gap.cancel()
        self._waiting.clear()
        self._current = None

    def ask(self, *requests: Request) -> None:
        self._waiting.extend(requests)
        if self._current is None:
            self._next()

    def device_wrote(self, packet: bytes) -> None:
        """Data of a transfer to the host, or the status of one to the device."""
        if self._current is None:
            return
        if self._current.kind & _TO_HOST:
            self._received += packet
        else:
            self._end()

    def device_reads(self, size: int) -> None:
        """The device has room for data to it, or for the status of a transfer to the host."""
        if self._current is not None and self._current.data and not self._is_sent:
            self._is_sent = True
            self._controller.endpoint_read_done(0, self._current.data[:size])
            return
        self._controller.endpoint_read_done(0, b"")
        if self._current is not None and self._current.kind & _TO_HOST:
            self._end()

    def _next(self) -> None:
        self._current = self._waiting.popleft() if self._waiting else None
        self._received = bytearray()
        self._is_sent = self._is_ending = False
        if self._current is not None:
            self._controller.send_setup_packet(self._current.setup_packet())

    def _end(self) -> None:
        if not self._is_ending:
            self._is_ending = True
            self._gap.schedule(float(_GAP_NS))

    def _retire(self) -> None:
        done, received = self._current, bytes(self._received)
        self._next()
        if done is not None and done.on_done:
            done.on_done(received)
