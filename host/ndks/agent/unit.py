# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What the agent asks of its unit. Each verb is synchronous; a refusal by the unit is a DeviceError with a `number`."""

from typing import Protocol

from ..driver.capsules import Sealed
from ..driver.network_verbs import Opened, Ticked

__all__ = ("Opened", "Sealed", "Ticked", "Unit")


class Unit(Protocol):
    """A unit with an open session, such as `ndks.driver.network_verbs.NetworkUnit`."""

    @property
    def lane(self) -> int: ...

    @property
    def own_number(self) -> int:
        """The highest number of its own lane that may have been used, 0: none."""
        ...

    @property
    def epoch(self) -> int | None:
        """The present epoch; None: the unit was enrolled, and has no generation yet."""
        ...

    def held(self) -> tuple[int, ...]:
        """The generations whose capsules it opens: the present one, then those of the past."""
        ...

    def tick(self, ticks: int) -> Ticked: ...

    def control(self, capsule: bytes) -> int: ...

    def notice(self, g: int, capsule: bytes, /) -> int:
        """Enter a generation; return its epoch."""
        ...

    def hint(self, g: int, /) -> bytes: ...

    def renew(self) -> int: ...

    def set_role(self, mode: int) -> None: ...

    def seal(self, kind: int, data: bytes) -> Sealed:
        """Return a capsule under the unit's next number."""
        ...

    def open(self, capsule: bytes, *, vouched: bool = False) -> Opened:
        """Open a capsule, again if need be, whatever its number (flags again and allow_jump), and accept nothing."""
        ...
