# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit that runs, and all that others can do to it meanwhile: open its case, cut its power, drop its line."""

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

_LOOK_SECONDS = 0.05  # a signal that comes just before a wait does not end it
_PATIENCE = 10.0  # for the unit to notice; it looks at its power whenever it turns to flash or line


class RunningUnitError(Exception):
    """What was asked for cannot be done now."""


class RunningUnit:
    """The unit in `directory` on `line`, with the firmware's own main loop.

    One thread calls `serve`, any other the rest. `announce` is called with the address of the line at each start but
    the first, when whoever made the line knows it.
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
        self._changed = threading.Condition()  # of power and whether it runs
        self._one_at_a_time = threading.Lock()
        self._running = True  # a host that knows the line can already open it
        self._cable_in = True
        self._restarts = 0

    def serve(self) -> NoReturn:
        """Be the unit, and start it anew after each power cut. The line is closed when this is left."""
        while True:
            try:
                self._run()
            except PowerCut:
                pass
            finally:
                self._stop()
            self._start()

    def power_off(self) -> None:
        """Return when the unit has lost its power and the host its line."""
        with self._one_at_a_time:
            self._cut(0)

    def power_on(self) -> str:
        """Give it power for ever; return the address of the line once the unit starts."""
        with self._one_at_a_time:
            if not self._cable_in:
                raise RunningUnitError("the cable is out: cable in brings the power back")
            return self._restore()

    def power_cut(self, steps: int) -> None:
        """Let the power go after so many more steps of flash; with 0, at once."""
        with self._one_at_a_time:
            self._need_power()
            self._cut(steps)

    def cable_out(self) -> None:
        """Pull the cable, through which the power comes."""
        with self._one_at_a_time:
            self._cable_in = False
            self._cut(0)

    def cable_in(self) -> str:
        with self._one_at_a_time:
            self._cable_in = True
            return self._restore()

    def line_drop(self) -> str:
        """Hang up on the host while the unit keeps its power; return the address of the line from now on."""
        with self._one_at_a_time:
            self._need_power()
            if not self._cable.ask_to_drop(_PATIENCE):
                raise RunningUnitError("the unit has not turned to its line; it will be dropped when it does")
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
        """Wait for the power, and plug in."""
        with self._changed:
            while not self.power.on:
                self._changed.wait(_LOOK_SECONDS)
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
            self._wait_until(lambda: not self._running)  # the unit that was cut, not the next, has to end
        restarts = self._restarts
        with self._changed:
            self.power.restore()
            self._changed.notify_all()
        self._wait_until(lambda: self._running or self._restarts > restarts)  # it may have ended again already
        return self._cable.address

    def _need_power(self) -> None:
        if not self.power.on:
            raise RunningUnitError("the power is off")

    def _wait_until(self, holds: Callable[[], bool]) -> None:
        with self._changed:
            if not self._changed.wait_for(holds, _PATIENCE):
                raise RunningUnitError("the unit has not noticed yet: it is busy")
