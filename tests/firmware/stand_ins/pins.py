# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Models of modules board and digitalio."""

from typing import Self


class Pin:
    """A pin. `grounded` is true while a jumper connects it to ground."""

    def __init__(self) -> None:
        self.grounded = False
        self.in_use = False
        self.pull: str | None = None
        self.history: list[bool] = []  # output levels in order


class Pull:
    """Class Pull of module digitalio."""

    UP = "UP"
    DOWN = "DOWN"


class DigitalInOut:
    """Class DigitalInOut of module digitalio."""

    def __init__(self, pin: Pin) -> None:
        if pin.in_use:
            raise ValueError("Pin in use")
        pin.in_use = True
        self._pin = pin
        self._pull: str | None = None
        self._is_output = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pin.in_use = False

    def switch_to_input(self, pull: str | None = None) -> None:
        self._is_output = False
        self._pull = self._pin.pull = pull

    def switch_to_output(self, value: bool = False) -> None:
        self._is_output = True
        self.value = value

    @property
    def value(self) -> bool:
        if self._is_output:
            return self._pin.history[-1]
        assert self._pin.grounded or self._pull, "an open input without a pull reads anything"
        return not self._pin.grounded and self._pull == Pull.UP

    @value.setter
    def value(self, value: bool) -> None:
        if not self._is_output:
            raise AttributeError("Cannot set value when direction is input.")
        self._pin.history.append(value)
