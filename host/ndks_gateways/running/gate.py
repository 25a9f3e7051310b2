# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The unit of a tunnel: keys of messages, and doors.

Opening a message accepts nothing, so no flash is written: what stops replays is the challenge of each link.
"""

import asyncio
import logging

import ndks.aio
from ndks.driver.service_verbs import Presence
from ndks.exceptions import DeviceError
from ndks.times import DEFAULT_TIMEOUT
from ndks_protocol import errors

from ..held import Held, need_hybrid, unit_away
from ..tunnel.doors import KEPT_EPOCHS, Door, epoch_door
from ..tunnel.errors import Reflected
from ..tunnel.steps import Ahead, Behind, MessageKeys, OpenedKeys

_log = logging.getLogger(__name__)

_DOOR = 1 << 47  # the exported key from which doors are made: the first that is for gateways
_DOOR_BITS = 256
BEHIND = (errors.HEADER, errors.TOO_FAR)  # for a header from behind a right door: it is of a later generation or epoch
_AHEAD = (errors.CUT, errors.TOO_OLD)  # with any number allowed: it is of a generation, or an epoch, that was given up


class Gate(Held):
    """Keys of messages and doors of epochs, for the tunnel `name`. `lane` and `epoch` are known once it was there."""

    def __init__(self, unit: str | None, name: str, timeout: float = DEFAULT_TIMEOUT) -> None:
        super().__init__(unit, timeout)
        self.lane: int | None = None
        self.epoch = 0
        self._name = name
        self._doors: dict[int, Door] = {}
        self._ahead: asyncio.Task[MessageKeys] | None = None

    @property
    def is_present(self) -> bool:
        """Whether the unit is there, and its lane and its doors are known."""
        return self.away is None

    @property
    def generation(self) -> int:
        """The generation of the present epoch."""
        return self.epoch >> 16

    def doors(self) -> tuple[Door, ...]:
        """The doors of the present epoch and of those before it that the unit keeps, the latest first: at most 9."""
        return tuple(self._doors[epoch] for epoch in sorted(self._doors, reverse=True))

    async def wait_present(self) -> None:
        """Return as soon as the unit is there, and its lane and doors are known."""
        while not self.is_present:
            await self._changed.wait()

    async def seal(self) -> MessageKeys:
        """Return the keys of a message that this unit sends, new ones at each call. UnitAway.

        Those of the next call are taken at once, so that a link waits for a slow unit one time fewer.
        """
        if self.away:
            raise unit_away(self.away)
        ahead, self._ahead = self._ahead, None
        has_failed = ahead and ahead.done() and (ahead.cancelled() or ahead.exception())
        keys = await (ahead if ahead and not has_failed else self._keys())
        self._take_ahead()
        return keys

    async def open(self, header: bytes) -> OpenedKeys:
        """Return the keys of a message that came from behind a right door, whatever its number; accept nothing.

        Behind, Ahead (tunnel.steps), Reflected (tunnel.errors); DeviceError REVOKED and others; UnitAway.
        """
        try:
            keys = await self.call(lambda unit: unit.open_message_keys(header, again=True, allow_jump=True))
        except DeviceError as error:
            if error.number in BEHIND:
                raise Behind(self.generation) from None
            if error.number in _AHEAD:
                raise Ahead from None
            if error.number == errors.REFLECTED:
                raise Reflected("the other end uses the unit of this gateway") from None
            raise
        return OpenedKeys(keys.lane, keys.tag_key, keys.aes_key)

    async def _keys(self) -> MessageKeys:
        try:
            keys = await self.call(lambda unit: unit.message_keys())
        except DeviceError as error:
            raise unit_away(error) from None
        return MessageKeys(keys.header, keys.tag_key, keys.aes_key)

    def _take_ahead(self) -> None:
        self._drop_ahead()
        self._ahead = asyncio.create_task(self._keys())
        self._ahead.add_done_callback(_retrieved)

    def _drop_ahead(self) -> None:
        if self._ahead:
            self._ahead.cancel()
        self._ahead = None

    async def _stay(self) -> None:
        try:
            await super()._stay()
        finally:
            self._drop_ahead()

    async def _learn(self, work: ndks.aio.Unit, said: Presence) -> bool:
        if self.is_present and said.epoch == self.epoch:
            return False
        status = await work.status()
        need_hybrid(status.suite)
        await self._read_doors(work, status.epoch)
        is_moved = self.lane is None or status.epoch != self.epoch
        self.lane, self.epoch = status.lane, status.epoch
        if is_moved:
            number, generation = self.epoch & 0xFFFF, self.generation
            _log.info(
                "unit %s, of lane %s, is in epoch %s of generation %s",
                self.serial_number,
                self.lane,
                number,
                generation,
            )
        if is_moved or self.away:
            self._take_ahead()
        return is_moved

    async def _read_doors(self, work: ndks.aio.Unit, epoch: int) -> None:
        """Read the door of an epoch, and those of the kept epochs that are not known; drop those that the unit refuses.

        A unit refuses the keys of a past generation in which a lane that is revoked now was a member.
        """
        read: dict[int, Door] = {}
        for each in self._kept(epoch):
            if each in self._doors and each >> 16 == epoch >> 16:
                read[each] = self._doors[each]
                continue
            try:
                key = await work.key(_DOOR, _DOOR_BITS, epoch=each)
            except DeviceError as error:
                if each == epoch or error.number not in (errors.EPOCH, errors.CUT):
                    raise
                continue
            read[each] = epoch_door(key.data, each, self._name)
        self._doors = read

    def _kept(self, epoch: int) -> list[int]:
        """Return the epochs whose doors the unit may give: of this generation, and the known ones of those before."""
        number = epoch & 0xFFFF
        own = range(epoch, epoch - min(number, KEPT_EPOCHS) - 1, -1)
        earlier = sorted((each for each in self._doors if each >> 16 < epoch >> 16), reverse=True)
        return [*own, *earlier][: KEPT_EPOCHS + 1]


def _retrieved(task: "asyncio.Task[MessageKeys]") -> None:
    if not task.cancelled():
        task.exception()  # whoever takes the keys gets the error; if nobody does, it does not matter
