# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Models of the clock, which only the other models advance, and of the watchdog."""

from types import SimpleNamespace

MAX_TIMEOUT = 8  # maximum timeout of the RP2040 in seconds


class WatchdogReset(BaseException):
    """Raised when the watchdog resets the chip."""


class Clock:
    """The time since power-on in milliseconds."""

    def __init__(self) -> None:
        self.ms = 0
        self.watchdog = Watchdog(self)

    def advance(self, ms: int) -> None:
        self.ms += ms
        self.watchdog.check()

    @property
    def module(self) -> SimpleNamespace:
        """Return module time."""
        return SimpleNamespace(sleep=lambda seconds: self.advance(round(1000 * seconds)))

    def ticks_ms(self) -> int:
        return (self.ms + 0x1FFF0000) % (1 << 29)  # wraps around 65 s after power-on


class WatchDogMode:
    """Class WatchDogMode of module watchdog."""

    RAISE = "RAISE"
    RESET = "RESET"


class Watchdog:
    """Model of microcontroller.watchdog."""

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
        """Stop after Ctrl-C; after other exceptions the watchdog runs on and resets the chip, as in CircuitPython."""
        if isinstance(error, KeyboardInterrupt):
            self._mode = None
