# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What a USB host and its serial driver do: carry bytes between a serial port of the chip and the line of a program."""

import time

from ndks_chip import SerialPort

from ..lines import ANY_BAUD, TOUCH_BAUD, Line

_MUCH = 4096  # bytes that wait for the chip; more wait in the line
_TOO_MUCH = 1 << 16  # bytes that wait for a program that does not read


class Bridge:
    """Connects `port` and `line`: each `turn` carries what is there."""

    def __init__(self, port: SerialPort, line: Line) -> None:
        self._port = port
        self._line = line
        self._to_host = bytearray()
        self._baud = ANY_BAUD
        self._is_open = False
        port.on_data = self._to_host.extend
        port.set_dtr(False)

    @property
    def is_full(self) -> bool:
        """Whether the program reads so little that the chip has to wait."""
        return len(self._to_host) > _TOO_MUCH

    def turn(self, wait: float = 0.0) -> None:
        """Carry bytes in both directions; wait for those of the program for `wait` seconds at most."""
        self._follow(is_open=self._line.connected)
        if self._to_host and self._line.connected:
            del self._to_host[: self._line.offer(bytes(self._to_host))]
        if self._port.is_ready and self._port.pending < _MUCH:
            if data := self._line.read(wait):
                self._port.write(data)
        else:
            time.sleep(wait)

    def touch(self) -> None:
        """Open the port at 1200 baud and close it."""
        self._port.set_baud(TOUCH_BAUD)
        self._port.set_dtr(True)
        self._port.set_dtr(False)

    def _follow(self, *, is_open: bool) -> None:
        """Pass on that a program has opened or closed the line, and at which rate."""
        baud = self._line.baud
        was_touched = baud != self._baud and not is_open and not self._is_open  # opened and closed since the last turn
        if baud != self._baud:
            self._port.set_baud(baud)
        if was_touched:
            self._port.set_dtr(True)
        if is_open != self._is_open or was_touched:
            self._port.set_dtr(is_open)
        if not is_open:
            self._to_host.clear()
        self._baud, self._is_open = baud, is_open
