# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The unit of a gateway, through the socket `gate` of `ndks service`."""

from ndks.driver.service_verbs import Presence
from ndks.exceptions import NdksError

from ..tunnel.doors import Door
from ..tunnel.handshake import MessageKeys, OpenedKeys


class UnitAway(NdksError):
    """The unit, or the service that holds it, is not at hand; the gate goes on looking for it."""

    code = "UNIT_AWAY"
    exit_status = 3


class Gate:
    """Keys of messages and doors of epochs, for one tunnel; `run` keeps the connections to the service.

    `presence` is what the service said last, None: it is away; `away` says why. `lane` and `generation` of the unit
    are known once it was there.
    """

    def __init__(self, unit: str | None, name: str) -> None:
        self.presence: Presence | None = None
        self.away: NdksError | None = None
        self.away_since: float = 0.0  # of time.time()
        self.lane: int | None = None
        self.serial_number = ""

    async def run(self) -> None:
        """Keep the unit at hand until this is cancelled. Whatever is wrong is tried again."""
        raise NotImplementedError

    @property
    def is_present(self) -> bool:
        """Whether the unit is there, and the lane and its doors are known."""
        raise NotImplementedError

    @property
    def generation(self) -> int:
        """The generation of the present epoch."""
        raise NotImplementedError

    @property
    def changes(self) -> int:
        """A number that grows whenever presence, epoch or revoked lanes change."""
        raise NotImplementedError

    async def wait_change(self, known: int) -> int:
        """Return `changes` as soon as it is another number than this one."""
        raise NotImplementedError

    async def wait_present(self) -> None:
        """Return as soon as the unit is there, and its lane and doors are known."""
        raise NotImplementedError

    def doors(self) -> tuple[Door, ...]:
        """The doors of the present epoch and of those before it that the unit keeps, the latest first: at most 9."""
        raise NotImplementedError

    async def seal(self) -> MessageKeys:
        """Return the keys of a message that this unit sends. UnitAway."""
        raise NotImplementedError

    async def open(self, header: bytes) -> OpenedKeys:
        """Return the keys of a received message, whatever its number is; accept nothing.

        BehindUs, AheadOfUs, Refused (tunnel.handshake); UnitAway.
        """
        raise NotImplementedError


