# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A running unit whose case, power, cable and line other threads can control."""

import threading
from collections.abc import Callable
from typing import Any, NoReturn

from ndks_unit import main

from .board import EmulatedBoard, MakeGenerator
from .cable import Cable
from .case import Case
from .directory import UnitDirectory
from .lines import Line
from .power import PowerCut

_POLL_SECONDS = 0.05  # a signal just before a wait does not end the wait
_TIMEOUT = 10.0  # timeout for the unit to notice; it checks its power at every access to flash or line


class RunningUnitError(Exception):
    """The operation is not possible now."""


class RunningUnit:
    """The unit in `directory` on `line`, running the main loop of the firmware.

    One thread calls `serve`; other threads call the other methods. `announce` is called with the address of the line at
    each start except the first, because the caller already knows the first address.
    """

    def __init__(
        self,
        directory: UnitDirectory,
        line: Line,
        make_generator: MakeGenerator | None = None,
        announce: Callable[[str], None] | None = None,
    ) -> None:
        self.case = Case()
        self.power = directory.power
        self._directory = directory
        self._cable = Cable(line, directory.power)
        self._make_generator = make_generator
        self._announce = announce
        self._changed = threading.Condition()  # notified when the power or `_running` changes
        self._lock = threading.Lock()
        self._running = True  # a host can already open the line
        self._cable_in = True
        self._restarts = 0

    def serve(self) -> NoReturn:
        """Run the unit, and restart it after each power cut. Close the line on exit."""
        while True:
            try:
                self._run()
            except PowerCut:
                pass
            finally:
                self._stop()
            self._start()

    def power_off(self) -> None:
        """Cut the power, and wait until the unit has stopped and its line is closed."""
        with self._lock:
            self._cut(0)

    def power_on(self) -> str:
        """Restore the power; wait until the unit has started, and return the address of its line."""
        with self._lock:
            if not self._cable_in:
                raise RunningUnitError("the cable is out; use cable in to restore the power")
            return self._restore()

    def power_cut(self, steps: int) -> None:
        """Cut the power after `steps` more steps of flash; 0 cuts it at once."""
        with self._lock:
            self._need_power()
            self._cut(steps)

    def cable_out(self) -> None:
        """Pull the cable, which also cuts the power."""
        with self._lock:
            self._cable_in = False
            self._cut(0)

    def cable_in(self) -> str:
        with self._lock:
            self._cable_in = True
            return self._restore()

    def line_drop(self) -> str:
        """Disconnect the host with the power on; return the new address of the line."""
        with self._lock:
            self._need_power()
            if not self._cable.ask_to_drop(_TIMEOUT):
                raise RunningUnitError("the unit is busy; it drops the line at its next turn")
            self._need_power()
            return self._cable.address

    def status(self) -> dict[str, Any]:
        return {
            "case": "open" if self.case.is_open else "closed",
            "power": "on" if self.power.on else "off",
            "cable": "in" if self._cable_in else "out",
            "port": self._cable.address if self._running else None,
            "flash_steps": self.power.steps,
            "steps_left": self.power.steps_left,
            "erases": self._directory.erases,
            "restarts": self._restarts,
        }

    def _run(self) -> None:
        main.serve(EmulatedBoard(self._directory, self._cable, self._make_generator, case=self.case))

    def _stop(self) -> None:
        self._cable.close()
        with self._changed:
            self._running = False
            self._changed.notify_all()

    def _start(self) -> None:
        """Wait for the power, then plug in the line."""
        with self._changed:
            while not self.power.on:
                self._changed.wait(_POLL_SECONDS)
        self._cable.plug()
        if self._announce:
            self._announce(self._cable.address)
        with self._changed:
            self._running = True
            self._restarts += 1
            self._changed.notify_all()

    def _cut(self, steps: int) -> None:
        self.power.steps_left = steps
        if not self.power.on:
            self._wait_until(lambda: not self._running)

    def _restore(self) -> str:
        if not self.power.on:
            self._wait_until(lambda: not self._running)  # wait for the end of the old run before the new one starts
        restarts = self._restarts
        with self._changed:
            self.power.restore()
            self._changed.notify_all()
        self._wait_until(lambda: self._running or self._restarts > restarts)  # the new run may have ended already
        return self._cable.address

    def _need_power(self) -> None:
        if not self.power.on:
            raise RunningUnitError("the power is off")

    def _wait_until(self, holds: Callable[[], bool]) -> None:
        with self._changed:
            if not self._changed.wait_for(holds, _TIMEOUT):
                raise RunningUnitError("the unit is busy and has not noticed yet")
