# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What runs while it has power, and whose power, cable and line other threads can control."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NoReturn

from .cable import Cable
from .lines import Line
from .power import Power, PowerCut

_POLL_SECONDS = 0.05  # a signal just before a wait does not end the wait
_TIMEOUT = 10.0  # timeout for the unit to notice; it checks its power at every access to flash or line

Action = Callable[[], "str | None"]  # returns the port of the line, if that may be a new one


class NotNow(Exception):
    """The operation is not possible now."""


class Powered(ABC):
    """A unit on `line` that runs while `power` is on.

    One thread calls `serve`; other threads call the other methods. `announce` is called with the address of the line at
    each start except the first, because the caller already knows the first address.
    """

    COMMANDS: ClassVar[Mapping[str, str]] = {  # of the control socket, with their purposes; `actions` has the same
        "power off": "cut the power at once; the line closes too",
        "power on": "restore the power, cancel a scheduled cut, start the unit; returns the port",
        "power cut N": "cut the power after N more steps of flash; an erase or a programmed page takes two steps",
        "cable out": "pull the cable; this closes the line and cuts the power",
        "cable in": "plug the cable in; then as power on",
        "line drop": "disconnect the host, with the power on; returns the new port",
    }

    def __init__(self, power: Power, line: Line, announce: Callable[[str], None] | None = None) -> None:
        self.power = power
        self._cable = Cable(line, power)
        self._announce = announce
        self._changed = threading.Condition()  # notified when the power or `_running` changes
        self._lock = threading.Lock()
        self._running = True  # a host can already open the line
        self._cable_in = True
        self._restarts = 0

    @property
    def actions(self) -> dict[str, Action]:
        return {
            "power off": self.power_off,
            "power on": self.power_on,
            "cable out": self.cable_out,
            "cable in": self.cable_in,
            "line drop": self.line_drop,
        }

    @abstractmethod
    def run(self) -> None:
        """Start, and serve the line. PowerCut: the power is off."""

    @property
    @abstractmethod
    def erases(self) -> int:
        """The number of erases of flash so far."""

    def serve(self) -> NoReturn:
        """Run the unit, and restart it after each power cut. Close the line on exit."""
        while True:
            try:
                self.run()
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
                raise NotNow("the cable is out; use cable in to restore the power")
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
                raise NotNow("the unit is busy; it drops the line at its next turn")
            self._need_power()
            return self._cable.address

    def status(self) -> dict[str, Any]:
        return {
            "power": "on" if self.power.on else "off",
            "cable": "in" if self._cable_in else "out",
            "port": self._cable.address if self._running else None,
            "flash_steps": self.power.steps,
            "steps_left": self.power.steps_left,
            "erases": self.erases,
            "restarts": self._restarts,
        }

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
            raise NotNow("the power is off")

    def _wait_until(self, holds: Callable[[], bool]) -> None:
        with self._changed:
            if not self._changed.wait_for(holds, _TIMEOUT):
                raise NotNow("the unit is busy and has not noticed yet")
