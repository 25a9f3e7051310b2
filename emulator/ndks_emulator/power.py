# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Power supply of an emulated unit, with power cuts at any step of a flash operation."""

from collections.abc import Callable


class PowerCut(BaseException):
    """The unit has no power. A BaseException, because the firmware turns any Exception into an error answer."""


class Power:
    """A power supply that lasts for `steps_left` steps of flash; None means for ever.

    An erase and the programming of a page take two steps each. With `fine`, an erase takes three steps, and programming
    takes two steps per changed byte. The last step takes effect and then raises PowerCut, as does any later operation.

    Only the unit's thread calls `take`; other threads may cut and restore the power.
    """

    def __init__(self, *, fine: bool = False) -> None:
        self.fine = fine
        self.steps = 0  # steps taken so far
        self._last: int | None = None  # the step of the power cut; each attribute has one writer, so no lock is needed

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
        """Raise PowerCut if the power is off."""
        if not self.on:
            raise PowerCut

    def survives(self, steps: int, operation: Callable[[], object]) -> bool:
        """Call `operation` with power for `steps` steps; return whether it completed. Restore the power afterwards."""
        self.steps_left = steps
        try:
            operation()
        except PowerCut:
            return False
        finally:
            self.restore()
        return True

    def take(self, steps: int) -> int:
        """Count up to `steps` steps, and return the number for which there is power."""
        left = self.steps_left
        taken = steps if left is None else min(steps, left)
        self.steps += taken
        return taken
