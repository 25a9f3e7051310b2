# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A running chip, whose power, cable, lines, buttons and jumper other threads can control."""

import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ndks_emulator.lines import Line
from ndks_emulator.powered import Action, NotNow, Powered

from . import Chip
from .bridge import Bridge
from .directory import ChipDirectory
from .pace import Pace

_SLICE = 1_000_000  # nanoseconds of the chip between two looks at lines, power and requests
_TIMEOUT = 10.0  # seconds for a request to the chip's thread


class RunningChip(Powered):
    """The chip in `directory`, its data port on `line` and its console on another one, at a speed as of `Pace`."""

    COMMANDS: ClassVar[Mapping[str, str]] = {
        "reset": "reset the chip, as if pin RUN was grounded for a moment",
        "touch": "open the data port at 1200 baud and close it: the chip restarts in its bootloader, until a reset",
        "bootsel on": "hold the button BOOTSEL: a reset leads to the bootloader, the second after one to safe mode",
        "bootsel off": "release the button",
        "jumper on": "bridge GP2 and ground; the firmware looks at its start, and enables console and drive",
        "jumper off": "take the jumper off",
        **Powered.COMMANDS,
    }

    def __init__(
        self,
        directory: ChipDirectory,
        line: Line,
        console: Line | None,
        speed: float | None,
        announce: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(directory.power, line, announce)
        self._directory = directory
        self._console_line = console
        self._speed = speed
        self._is_ready = self._has_left = False
        self._bootsel = self._jumper = False
        self._request: Callable[[Chip], object] | None = None
        self._seconds = 0.0

    @property
    def actions(self) -> dict[str, Action]:
        return {
            "reset": lambda: self._ask(lambda chip: chip.reset()),
            "touch": lambda: self._ask(lambda chip: self._data.touch()),
            "bootsel on": lambda: self._press(True),
            "bootsel off": lambda: self._press(False),
            "jumper on": lambda: self._bridge(True),
            "jumper off": lambda: self._bridge(False),
            **super().actions,
        }

    @property
    def erases(self) -> int:
        return self._directory.erases

    def status(self) -> dict[str, Any]:
        return {
            "ready": self._is_ready,
            "bootsel": "on" if self._bootsel else "off",
            "jumper": "on" if self._jumper else "off",
            "seconds": round(self._seconds, 6),
            **super().status(),
        }

    def run(self) -> None:
        flash = bytearray(self._directory.load())
        chip = Chip(flash, uid=self._directory.uid, on_flash=lambda at, size: self._directory.step(flash, at, size))
        chip.bootsel, chip.jumper = self._bootsel, self._jumper
        self._data = Bridge(chip.data, self._cable)
        self._console = Bridge(chip.console, self._console_line) if self._console_line else None
        pace = Pace(self._speed)
        try:
            while True:
                self._turn(chip, pace)
        finally:
            self._is_ready = self._has_left = False
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
        if ahead > 2 * _SLICE / 1e9:  # a host that sends all the time must not drive the clock
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

    def _press(self, pressed: bool) -> None:
        self._bootsel = pressed
        self._tell(lambda chip: setattr(chip, "bootsel", pressed))

    def _bridge(self, bridged: bool) -> None:
        self._jumper = bridged
        self._tell(lambda chip: setattr(chip, "jumper", bridged))

    def _tell(self, request: Callable[[Chip], object]) -> None:
        """Ask a running chip for something that the next one gets at its start."""
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
