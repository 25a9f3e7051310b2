# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The line to an emulated unit in this process, whose case, power and cable a test controls."""

from ndks.exceptions import UnitRemoved
from ndks.line.emulated import EmulatorTransport
from ndks_emulator import PowerCut


class FaultyTransport:
    """A transport that raises UnitRemoved from the moment that the unit has no power."""

    unplugs = True

    def __init__(self, line: EmulatorTransport, port: str) -> None:
        self._line = line
        self._port = port
        self._has_power = True

    def write(self, data: bytes) -> None:
        self._need_power()
        try:
            self._line.write(data)
        except PowerCut:
            self.unplug()
        self._need_power()

    def read(self) -> bytes:
        self._need_power()
        return self._line.read()

    def close(self) -> None:
        self._line.close()

    def open_case(self) -> None:
        """Open the case. A unit with power notices before the next request."""
        self._need_power()
        self._line.unit.case.open()
        self._line.unit.poll()

    def cut_power(self, steps: int) -> None:
        """Cut the power after `steps` more steps of flash; 0: now."""
        self._need_power()
        if steps:
            self._line.unit.power.steps_left = steps
        else:
            self.unplug()

    def unplug(self) -> None:
        self._has_power = False
        self._line.close()

    def _need_power(self) -> None:
        if not self._has_power:
            advice = "open it again: ndks.open, or plug_in of ndks_pytest"
            raise UnitRemoved(f"the unit at {self._port} was removed", advice)
