# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Model of usb_cdc.data: two FIFOs, and a packet in the USB hardware that cannot be withdrawn."""

from collections.abc import Callable

FIFO = 256
PACKET = 64


class DataPort:
    """The unit's end of the serial line. `turn` is called at each access by the unit."""

    def __init__(self, turn: Callable[[], None]) -> None:
        self.timeout: float | None = None
        self.write_timeout: float | None = None
        self.host_is_there = False  # state of DTR
        self.short_writes = 0
        self._turn = turn
        self._from_host = bytearray()
        self._to_host = bytearray()
        self._packet = b""

    @property
    def connected(self) -> bool:
        self._turn()
        return self.host_is_there

    @property
    def in_waiting(self) -> int:
        return len(self._from_host)

    @property
    def out_waiting(self) -> int:
        return len(self._to_host)

    def readinto(self, buffer: bytearray) -> int | None:
        assert self.timeout == 0, "this would wait for ever"
        size = min(len(buffer), len(self._from_host))
        buffer[:size] = self._from_host[:size]
        del self._from_host[:size]
        return size or None

    def write(self, data: "bytes | memoryview") -> int:
        assert self.write_timeout == 0, "this would wait for ever"
        self._turn()
        if self.host_is_there:
            taken = bytes(data[: FIFO - len(self._to_host)])
            self._to_host += taken
        else:  # TinyUSB overwrites the oldest bytes, so a write always succeeds
            taken = bytes(data[-FIFO:])
            self._to_host = (self._to_host + taken)[-FIFO:]
        self.short_writes += len(taken) < len(data)
        self._load_packet()
        return len(taken)

    def reset_output_buffer(self) -> None:
        self._to_host.clear()

    def take_from_host(self, data: bytearray) -> None:
        """Remove as many bytes from the front of `data` as fit into the FIFO."""
        room = FIFO - len(self._from_host)
        self._from_host += data[:room]
        del data[:room]

    def give_to_host(self, size: int) -> bytes:
        data = b""
        while self._packet and len(data) < size:
            part = self._packet[: size - len(data)]
            data += part
            self._packet = self._packet[len(part) :]
            self._load_packet()
        return data

    def _load_packet(self) -> None:
        if not self._packet:
            self._packet = bytes(self._to_host[:PACKET])
            del self._to_host[:PACKET]
