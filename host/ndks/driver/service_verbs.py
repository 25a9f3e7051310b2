# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands that only a service has: WATCH and RELEASE (PROTOCOL.md section 10)."""

from dataclasses import dataclass

from ndks_protocol import service

from ..exceptions import UsageError
from .opened import OpenUnit, step


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether a service has a unit at hand, and what it knows of the network.

    `serial` is the number of the last change, `revoked` a number of lanes, `role` one of commands.SLAVE, MASTER,
    MONITOR. `beacon_age` is the time in seconds since the unit heard or gave a beacon, None: a day or longer, or never.
    """

    serial: int
    present: bool
    epoch: int
    revoked: int
    role: int
    beacon_age: int | None


class ServiceVerbs(OpenUnit):
    """Verbs of a unit that a service holds. UsageError for any other."""

    @step
    def watch(self, serial: int = 0) -> Presence:
        """Return the presence of the unit after a change other than number `serial`, or after 8 s as it is.

        UnitTimeout if the unit was opened with a shorter timeout.
        """
        self._need_service()
        answer = self._link.call(service.WATCH, serial)
        age = None if answer.beacon_age == service.NO_BEACON else answer.beacon_age
        return Presence(answer.serial, bool(answer.present), answer.epoch, answer.revoked, answer.role, age)

    @step
    def release(self, seconds: int) -> None:
        """Let the service close the port for `seconds`, at most 3600, so that another program can use the unit.

        The unit keeps its unused numbers, as with `eject`. DeviceError DENIED, RANGE.
        """
        self._need_service()
        self._link.call(service.RELEASE, seconds)

    def _need_service(self) -> None:
        if not self._owner.is_held:
            raise UsageError("no service holds this unit", "see which services run: ndks service status")
