# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The unit's supply, which can be cut at any step of any flash operation."""

from collections.abc import Callable


class PowerCut(BaseException):
    """The unit has no power. Not an Exception: the firmware answers those with an error code, and goes on."""


class Power:
    """Lasts for `steps_left` steps of flash; for ever when that is None. Every erase and program takes two or more.

    The step after which none is left is made, and ends in PowerCut, as does whatever the unit does next. With `fine`,
    a program takes two steps for each byte that it changes, and an erase three.

    The unit's thread alone takes steps; any other may cut and restore.
    """

    def __init__(self, *, fine: bool = False) -> None:
        self.fine = fine
        self.steps = 0  # taken so far
        self._last: int | None = None  # the step at which the power goes; a single writer each, so no lock

    @property
    def steps_left(self) -> int | None:
        return None if self._last is None else max(0, self._last - self.steps)

    @steps_left.setter
    def steps_left(self, steps: int | None) -> None:
        self._last = None if steps is None else self.steps + steps

    @property
    def on(self) -> bool:
        return self._last is None or self.steps < self._last

    def cut(self) -> None:
        self.steps_left = 0

    def restore(self) -> None:
        self.steps_left = None

    def check(self) -> None:
        """PowerCut unless there is power."""
        if not self.on:
            raise PowerCut

    def survives(self, steps: int, operation: Callable[[], object]) -> bool:
        """Do something with power for so many steps; return whether it ended. Then the power is back."""
        self.steps_left = steps
        try:
            operation()
        except PowerCut:
            return False
        finally:
            self.restore()
        return True

    def take(self, steps: int) -> int:
        """Return how many of these steps there is power for, and count them."""
        left = self.steps_left
        taken = steps if left is None else min(steps, left)
        self.steps += taken
        return taken
