# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Time on the board, which passes only when a stand-in says so, and the watchdog that looks at it."""

from types import SimpleNamespace

MAX_TIMEOUT = 8  # seconds that the RP2040 can count


class WatchdogReset(BaseException):
    """The chip has reset itself."""


class Clock:
    """Milliseconds since power-on."""

    def __init__(self) -> None:
        self.ms = 0
        self.watchdog = Watchdog(self)

    def advance(self, ms: int) -> None:
        self.ms += ms
        self.watchdog.check()

    @property
    def module(self) -> SimpleNamespace:
        """Module time."""
        return SimpleNamespace(sleep=lambda seconds: self.advance(round(1000 * seconds)))

    def ticks_ms(self) -> int:
        return (self.ms + 0x1FFF0000) % (1 << 29)  # wraps for the first time 65 s after power-on


class WatchDogMode:
    """As in module watchdog."""

    RAISE = "RAISE"
    RESET = "RESET"


class Watchdog:
    """microcontroller.watchdog."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timeout = 5.0
        self._mode: str | None = None
        self._fed = 0

    @property
    def timeout(self) -> float:
        return self._timeout

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        if not 0 <= seconds <= MAX_TIMEOUT:
            raise ValueError(f"timeout must be <= {MAX_TIMEOUT}")
        self._timeout = seconds
        self._fed = self._clock.ms

    @property
    def mode(self) -> str | None:
        return self._mode

    @mode.setter
    def mode(self, mode: str | None) -> None:
        if mode == WatchDogMode.RAISE:
            raise NotImplementedError
        self._mode = mode
        self._fed = self._clock.ms

    def feed(self) -> None:
        self._fed = self._clock.ms

    def check(self) -> None:
        if self._mode and self._clock.ms - self._fed > 1000 * self._timeout:
            raise WatchdogReset

    def vm_ends(self, error: BaseException) -> None:
        """As in CircuitPython: only after Ctrl-C it stops; after other exceptions it goes on and resets the chip."""
        if isinstance(error, KeyboardInterrupt):
            self._mode = None
