# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A running chip, whose power, cable, lines, buttons and jumper other threads can control."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ndks_chip import Chip

from ..lines import Line
from ..powered import Action, NotNow, Powered
from .bridge import Bridge
from .directory import ChipDirectory
from .pace import Pace

_JUMPER, _CASE = _PINS = (2, 3)  # GP2 and GP3, which the firmware pulls up
_SLICE = 1_000_000  # nanoseconds of the chip between two checks of lines, power and requests
_TIMEOUT = 10.0  # seconds for a request to the chip's thread
_OFF, _STARTING, _READY, _BOOT_ROM, _STUCK = "off", "starting", "ready", "bootloader", "stuck"
_SILENT = "silent"
_LONG = 30_000_000_000  # nanoseconds without a data port
_REPORTS = {
    _BOOT_ROM: "the chip is in its bootloader and waits for an image; a reset starts its firmware again",
    _STUCK: "the chip is stuck: a fault while it handled a fault; a reset starts its firmware again",
    _SILENT: "the chip offers no data port; what its firmware says about that is at its console: --console",
}
_log = logging.getLogger(__name__)


class RunningChip(Powered):
    """The chip in `directory`, with its data port on `line`; `speed` is as for `Pace`."""

    COMMANDS: ClassVar[Mapping[str, str]] = {
        "reset": "reset the chip, as if pin RUN was grounded for a moment",
        "touch": "open the data port at 1200 baud and close it: the chip restarts in its bootloader, until a reset",
        "bootsel on": "hold the button BOOTSEL: a reset leads to the bootloader, the second after one to safe mode",
        "bootsel off": "release the button",
        "jumper on": "bridge GP2 and ground; the firmware looks at its start, and enables console and drive",
        "jumper off": "take the jumper off",
        "case open": "connect GP3 and ground, as the switch of an open case does",
        "case close": "disconnect them",
        **Powered.COMMANDS,
    }

    def __init__(
        self,
        directory: ChipDirectory,
        console: Line | None,
        speed: float,
        line: Line,
        announce: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(directory.power, line, announce)
        self._directory = directory
        self._console_line = console
        self._speed = speed
        self._state = _STARTING
        self._last_progress = 0
        self._is_ready = self._has_left = False
        self._bootsel = False
        self._grounded: dict[int, bool] = dict.fromkeys(_PINS, False)
        self._request: Callable[[Chip], object] | None = None
        self._seconds = 0.0

    @property
    def actions(self) -> dict[str, Action]:
        return {
            "reset": lambda: self._ask(lambda chip: chip.reset()),
            "touch": lambda: self._ask(lambda _: self._data.touch()),
            "bootsel on": lambda: self._press(True),
            "bootsel off": lambda: self._press(False),
            "jumper on": lambda: self._ground(_JUMPER, True),
            "jumper off": lambda: self._ground(_JUMPER, False),
            "case open": lambda: self._ground(_CASE, True),
            "case close": lambda: self._ground(_CASE, False),
            **super().actions,
        }

    @property
    def erases(self) -> int:
        return self._directory.erases

    def status(self) -> dict[str, Any]:
        return {
            "state": self._state,
            "bootsel": "on" if self._bootsel else "off",
            "jumper": "on" if self._grounded[_JUMPER] else "off",
            "case": "open" if self._grounded[_CASE] else "closed",
            "seconds": round(self._seconds, 6),
            **super().status(),
        }

    def run(self) -> None:
        flash = bytearray(self._directory.load())
        chip = Chip(flash, uid=self._directory.uid, on_flash=lambda at, size: self._directory.step(flash, at, size))
        self._last_progress = 0
        self._hold(chip)
        self._data = Bridge(chip.data, self._cable)
        self._console = Bridge(chip.console, self._console_line) if self._console_line else None
        pace = Pace(self._speed)
        try:
            while True:
                self._turn(chip, pace)
        finally:
            self._is_ready = self._has_left = False
            self._state = _OFF
            self._directory.sync()
            if self._console_line:
                self._console_line.drop()
            self._obey(None)

    def _turn(self, chip: Chip, pace: Pace) -> None:
        self.power.check()
        self._obey(chip)
        if not self._data.is_full and not (self._console and self._console.is_full):
            chip.run(_SLICE)
        self.power.check()  # what the chip did after a power cut has not happened
        self._directory.sync()
        self._seconds = chip.nanoseconds / 1e9
        if self._console:
            self._console.turn()
        self._data.turn(pace.ahead(chip.nanoseconds))
        self._follow(chip)
        ahead = pace.ahead(chip.nanoseconds)
        if ahead > 2 * _SLICE / 1e9:  # a host that never stops sending must not drive the clock
            time.sleep(ahead)

    def _follow(self, chip: Chip) -> None:
        """Hang up when the chip leaves the USB; announce the port when it has come back."""
        if self._is_ready and not chip.data.is_ready:
            self._cable.drop()
            self._has_left = True
            self._restarts += 1
        if chip.data.is_ready and self._has_left:
            self._has_left = False
            if self._announce:
                self._announce(self._cable.address)
        self._is_ready = chip.data.is_ready
        state = _state_of(chip)
        if state != _STARTING:
            self._last_progress = chip.nanoseconds
        elif chip.nanoseconds - self._last_progress > _LONG:
            state = _SILENT
        if state in _REPORTS and state != self._state:
            _log.warning(_REPORTS[state])
        self._state = state

    def _press(self, pressed: bool) -> None:
        self._bootsel = pressed
        self._tell(self._hold)

    def _ground(self, pin: int, grounded: bool) -> None:
        self._grounded[pin] = grounded
        self._tell(self._hold)

    def _hold(self, chip: Chip) -> None:
        """Keep the button and the pins as they are."""
        chip.set_bootsel(self._bootsel)
        for pin, grounded in self._grounded.items():
            chip.set_pin(pin, False if grounded else None)

    def _tell(self, request: Callable[[Chip], object]) -> None:
        """Tell a running chip what another one is told at its start."""
        if self.power.on:
            self._ask(request)

    def _ask(self, request: Callable[[Chip], object]) -> None:
        """Have the chip's thread call `request`, and wait for it. NotNow."""
        with self._lock:
            self._need_power()
            self._request = request
            with self._changed:
                if not self._changed.wait_for(lambda: self._request is None, _TIMEOUT):
                    raise NotNow("the chip is busy and has not noticed yet")

    def _obey(self, chip: Chip | None) -> None:
        """Do what another thread has asked for; without a chip there is nothing to do it to."""
        if self._request:
            if chip:
                self._request(chip)
            with self._changed:
                self._request = None
                self._changed.notify_all()


def _state_of(chip: Chip) -> str:
    if chip.is_locked_up:
        return _STUCK
    if chip.is_in_boot_rom:
        return _BOOT_ROM
    return _READY if chip.data.is_ready else _STARTING
