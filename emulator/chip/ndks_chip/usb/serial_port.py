# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A serial port of the chip, as the host has it (USB Communications Device Class, PSTN subclass 1.2)."""

import struct
from collections.abc import Callable

from ndks_chip.usb.control import Request
from ndks_chip.usb.descriptors import CdcFunction

_TO_INTERFACE = 0x21  # bmRequestType: class, to an interface
_SET_LINE_CODING, _SET_CONTROL_LINE_STATE = 0x20, 0x22
_DTR_AND_RTS = 3
_PACKET = 64
_ONE_STOP_BIT, _NO_PARITY, _DATA_BITS = 0, 0, 8


class SerialPort:
    """Bytes that are written while the port is not ready are lost, as on a port that is not plugged in."""

    def __init__(self, ask: Callable[[Request], None], serve: Callable[["SerialPort"], None]) -> None:
        self.on_data: Callable[[bytes], None] | None = None
        self._ask, self._serve = ask, serve
        self._function: CdcFunction | None = None
        self._out = bytearray()
        self._dtr, self._baud = True, 115200

    @property
    def is_ready(self) -> bool:
        """The chip has this port now, and the host has configured it."""
        return self._function is not None

    @property
    def pending(self) -> int:
        """Bytes that the chip has not taken yet."""
        return len(self._out)

    def write(self, data: bytes) -> None:
        if self.is_ready:
            self._out += data
            self._serve(self)

    def set_dtr(self, on: bool) -> None:
        """Open or close the port, as the program sees it; it stays so over resets."""
        self._dtr = on
        self._tell(_SET_CONTROL_LINE_STATE, _DTR_AND_RTS if on else 0)

    def set_baud(self, baud: int) -> None:
        """Closing a port at 1200 baud makes CircuitPython start the boot loader."""
        self._baud = baud
        self._tell(_SET_LINE_CODING, 0, struct.pack("<IBBB", baud, _ONE_STOP_BIT, _NO_PARITY, _DATA_BITS))

    # For the host

    def connect(self, function: CdcFunction) -> None:
        self._function = function
        self.set_baud(self._baud)
        self.set_dtr(self._dtr)

    def disconnect(self) -> None:
        self._function = None
        self._out.clear()

    @property
    def endpoint(self) -> int:
        """The endpoint that the chip reads from; 0 while there is none."""
        return self._function.endpoint_out if self._function else 0

    def reads_from(self, endpoint: int) -> bool:
        return self._function is not None and self._function.endpoint_in == endpoint

    def writes_to(self, endpoint: int) -> bool:
        return self._function is not None and self._function.endpoint_out == endpoint

    def take(self, size: int) -> bytes:
        size = min(size, _PACKET)
        packet = bytes(self._out[:size])
        del self._out[:size]
        return packet

    def received(self, data: bytes) -> None:
        if self.on_data:
            self.on_data(data)

    def _tell(self, code: int, value: int, data: bytes = b"") -> None:
        if self._function is not None:
            self._ask(Request(_TO_INTERFACE, code, value, self._function.control, data=data))
