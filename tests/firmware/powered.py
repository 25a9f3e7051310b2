# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit whose power is cut at any step of flash, and its host."""

import hashlib
from typing import Any, Self

from hosts.memory import Host, new_flash, new_unit

from ndks_emulator import MemoryUnit

_LONG_MS = 100_000  # no delay after wrong proofs is longer


class SteadyEntropy:
    """Reproducible random bytes: the steps of flash depend on the bytes written."""

    def __init__(self) -> None:
        self._drawn = 0

    def __call__(self, size: int) -> bytes:
        self._drawn += 1
        return hashlib.shake_256(self._drawn.to_bytes(4)).digest(size)


class Powered:
    """A unit whose power can be cut, and its host."""

    def __init__(self, unit: MemoryUnit | None = None) -> None:
        self.unit = unit or new_unit(new_flash(b"unit\1\2\3\4"), SteadyEntropy())
        self.host = Host(self.unit)
        self.ended = True  # the last operation was not cut off

    def clone(self) -> Self:
        return type(self)(self.unit.clone())

    def steps_of(self, operation: Any) -> int:
        whole = self.clone()
        operation(whole)
        return whole.unit.power.steps

    def survives(self, steps: int, operation: Any) -> None:
        self.ended = self.unit.power.survives(steps, lambda: operation(self))

    def start(self) -> None:
        """Start with the remaining power."""
        self.host.restart()
        self.unit.clock.milliseconds += _LONG_MS
