# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Commands that only a service has: WATCH and RELEASE (PROTOCOL.md section 10)."""

from dataclasses import dataclass

from ndks_protocol import service

from ..exceptions import UsageError
from .opened import OpenUnit, step


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether a service has a unit at hand, and its epoch; `serial` is the number of the last change."""

    serial: int
    present: bool
    epoch: int


class ServiceVerbs(OpenUnit):
    """Verbs of a unit that a service holds. UsageError for any other."""

    @step
    def watch(self, serial: int = 0) -> Presence:
        """Return the presence of the unit after another change than number `serial`, or after 8 s as it is.

        UnitTimeout if the unit was opened with a shorter timeout.
        """
        self._need_service()
        answer = self._link.call(service.WATCH, serial)
        return Presence(answer.serial, bool(answer.present), answer.epoch)

    @step
    def release(self, seconds: int) -> None:
        """Let the service close the port for so long, at most 3600 s, so that another program can use the unit.

        The unit keeps its unused numbers, as with `eject`. DeviceError DENIED, RANGE.
        """
        self._need_service()
        self._link.call(service.RELEASE, seconds)

    def _need_service(self) -> None:
        if not self._owner.is_held:
            raise UsageError("no service holds this unit", "see which services run: ndks service status")
