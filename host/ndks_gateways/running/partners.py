# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What handshakes need of this gateway: who it is, whom it expects, what its unit and its agent answer."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ndks.exceptions import FileError, NdksError

from ..held import unit_away
from ..tunnel.bundles import Bundle
from ..tunnel.doors import Buckets, Door, pair_door, pairs_to_keep
from ..tunnel.errors import OtherGeneration, PinnedKeyDiffers
from ..tunnel.handshake import Established, Expected, Handshake, Identity
from ..tunnel.steps import Admit, Ahead, Behind, Bundles, Doors, MessageKeys, Open, OpenedKeys, Seal, Step
from ..tunnel.streams import WINDOW
from .greeting import Greeting, perform
from .settings import Settings
from .store import Pinned, Store

_log = logging.getLogger(__name__)

_REVOKED = "REVOKED"


class Unit(Protocol):
    """What is used of `Gate`."""

    lane: int | None
    away: NdksError | None

    @property
    def generation(self) -> int: ...

    def doors(self) -> tuple[Door, ...]: ...

    async def seal(self) -> MessageKeys: ...

    async def open(self, header: bytes) -> OpenedKeys: ...


class Partner:
    """This gateway in handshakes. `bundles` returns what its agent has for one that is behind."""

    def __init__(
        self,
        settings: Settings,
        unit: Unit,
        store: Store,
        bundles: Callable[[int | None], Sequence[Bundle]],
    ) -> None:
        self.unit = unit
        self._settings = settings
        self._store = store
        self._bundles = bundles
        self._buckets = Buckets()
        self._loop = asyncio.get_running_loop()
        self._pair_doors: dict[bytes, Door] = {}
        self._header = b""  # of the other unit's message in the last full handshake

    def identity(self, process: bytes) -> Identity:
        """Return who this gateway is, once its unit has been there. NdksError: it has not."""
        if self.unit.lane is None:
            raise unit_away(self.unit.away)  # a new error: one that is raised again keeps the frames of each time
        return Identity(self._settings.label, process, WINDOW, self._store.static, self.unit.lane)

    @property
    def expected(self) -> Expected:
        """Whom the other end must be."""
        pinned = self._store.peer
        lane = self._settings.peer if self._settings.peer is not None else pinned and pinned.lane
        return Expected(lane, pinned and pinned.static)

    def doors(self) -> list[Door]:
        """The pair doors, and those of epochs."""
        pairs = self._store.pairs
        self._pair_doors = {pair: self._pair_doors.get(pair) or pair_door(pair, self._settings.label) for pair in pairs}
        return [*self._pair_doors.values(), *self.unit.doors()]

    async def perform(
        self, handshake: Handshake, greeting: Greeting, admitted: Callable[[], object] = lambda: None
    ) -> Established:
        """Do a handshake, and keep what it pins. `admitted` is called when the other end has shown a door.

        NdksError: no link comes of it. OtherGeneration: this unit entered another one meanwhile. PinnedKeyDiffers:
        another gateway was pinned meanwhile, or the user has had the pinned one forgotten.
        """
        generation, pinned = self.unit.generation, self._store.peer
        header = self._header
        is_pair = False  # whether the other end knocked at a pair door

        async def answer(step: Step) -> Any:
            nonlocal header, is_pair
            if isinstance(step, Admit):
                is_pair = step.door.kind == "pair"
                admitted()
            elif isinstance(step, Open):
                header = step.header
            try:
                return await self._answer(step)
            except NdksError as error:
                if error.code == _REVOKED:
                    await self._refused_as_revoked(is_pair=is_pair)
                raise

        established = await perform(handshake, greeting, answer)
        if self.unit.generation != generation:
            raise OtherGeneration("the unit has entered another generation during the handshake")
        if self._store.peer not in (pinned, Pinned(established.peer.lane, established.peer.static)):
            what = "another gateway was pinned during the handshake, or this one was forgotten"
            raise PinnedKeyDiffers(what, "the gateways try again by themselves")
        self._header = header
        self._keep(established)
        return established

    async def is_revoked(self) -> bool:
        """Whether this unit knows that the other gateway's unit was revoked since the last full handshake.

        If so, the pair doors are forgotten.
        """
        try:
            if self._header:
                await self.unit.open(self._header)
        except (Behind, Ahead):
            return False
        except NdksError as error:
            if error.code == _REVOKED:
                self._drop_pairs()
                return True
        return False

    async def _refused_as_revoked(self, *, is_pair: bool) -> None:
        """Forget the pair doors if it is the other gateway that was revoked.

        Whoever knocked at a pair door is that gateway. Else anybody may have replayed an old header of a revoked lane.
        """
        if is_pair:
            self._drop_pairs()
        else:
            await self.is_revoked()

    def _drop_pairs(self) -> None:
        with contextlib.suppress(FileError):  # the unit refuses what comes through them
            self._store.drop_pairs()

    def _keep(self, established: Established) -> None:
        """Keep what outlives this process. FileError: the peer cannot be pinned."""
        peer = established.peer
        if self._store.peer is None:
            self._store.pin(Pinned(peer.lane, peer.static))
        if established.pair is not None:
            kept = pairs_to_keep(established.pair, self._store.pairs, established.door, self._settings.label)
            try:
                self._store.keep_pairs(kept)
            except FileError as error:  # the pairs of before are at both ends still
                _log.warning("%s: %s; the link is made without a new pair door", error.code, error)

    async def _answer(self, step: Step) -> Any:
        match step:
            case Seal():
                return await self.unit.seal()
            case Open(header):
                return await self.unit.open(header)
            case Doors():
                return self.doors()
            case Admit(door):
                return self._buckets.admit(door, self._loop.time())
            case Bundles(since):
                return self._bundles(since)
            case _:
                raise AssertionError(step)
