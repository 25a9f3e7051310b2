# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""All links between two gateways, one after another: the newest is used, an older one is read to its end."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from ndks.exceptions import NdksError

from ..tunnel import frames
from ..tunnel.delivery import MOST_KEPT, Delivery, DeliveryError, Disagreement
from ..tunnel.frames import Frame
from ..tunnel.handshake import Established
from ..tunnel.streams import StreamError
from .links import Link
from .tally import Tally

_log = logging.getLogger(__name__)

_MOST_HELD = 8 * MOST_KEPT  # bytes: more than small frames of all streams make, while nothing is read for the link
_ACK_AFTER = 0.05  # seconds within which what came is acknowledged


@dataclass(frozen=True)
class Uses:
    """What links are for, and who is told of them."""

    frame: Callable[[Frame], object]  # takes a frame of a stream; NdksError: it breaks a rule
    carried: Callable[[Link, Frame], object]  # takes a CARRY frame
    attached: Callable[[Link], object]  # takes a new link
    confirmed: Callable[[Link], object]  # the first record of a link has come
    reset: Callable[[], object]  # all streams are gone
    more: Callable[[], object]  # more may be sent, perhaps
    ended: Callable[[Link], object]  # a link is lost


class Switch:
    """Brings frames from link to link. What counts arrives once and in order (`Delivery`)."""

    def __init__(self, tally: Tally) -> None:
        self.delivery = Delivery()
        self.uses: Uses  # to be set before the first link
        self.newest: Link | None = None
        self._links: list[Link] = []  # all that are not lost, the newest last
        self._tally = tally
        self._loop = asyncio.get_running_loop()
        self._acking: asyncio.TimerHandle | None = None
        self._beginning: asyncio.Handle | None = None

    @property
    def may_send(self) -> bool:
        """Whether what is counted now leaves soon: else let applications wait."""
        newest = self.newest
        if newest is None or newest.is_full or self.delivery.is_full:
            return False
        return newest.attached.is_ready

    @property
    def is_idle(self) -> bool:
        """Whether the line has taken all that was written."""
        return self.newest is not None and self.newest.is_idle

    def count(self, frame: bytes) -> None:
        """Send a frame that counts, now or over a later link."""
        self.delivery.count(frame)
        if self.newest:
            self.newest.pump()
        if self.delivery.kept_bytes > _MOST_HELD and not self._beginning:
            self._tell(DeliveryError("the other end lets this one send, and acknowledges nothing of it"))
            self._begin_again_soon()

    def talk(self, frame: bytes) -> bool:
        """Send a frame that does not count over the newest link; return whether it was written."""
        return self.newest is not None and self.newest.talk(frame)

    def attach(self, own: bytes, established: Established, transport: asyncio.Transport) -> Link | None:
        """Take a link whose handshake is done; `own` is this process as the handshake named it. None: of no use now."""
        try:
            attached = self.delivery.attach(own, established.peer.process)
        except DeliveryError as error:
            self._tell(error)
            transport.abort()
            if isinstance(error, Disagreement):
                self.begin_again()
            return None
        link = Link(established, attached, self)
        for older in self._links[:-1]:  # they had their time: only the last one is read to its end
            older.abort()
        self._links.append(link)
        self.newest = link
        if attached.is_reset:
            self.uses.reset()
        link.start(transport)
        self.uses.attached(link)
        for older in self._links[:-1]:
            older.replace()
        self.settle(link)
        return link

    def begin_again(self) -> None:
        """Be another process to the other end: all streams are gone, and all links."""
        if self._beginning:
            self._beginning.cancel()
            self._beginning = None
        self.delivery.begin_again()
        self.uses.reset()
        self.cut()

    def retire(self) -> None:
        """Cut all links after a while: newer ones must be made."""
        for link in self._links:
            link.retire()

    def cut(self) -> None:
        """Cut all links now."""
        for link in self._links:
            link.abort()

    def close(self) -> None:
        if self._acking:
            self._acking.cancel()
        self.cut()

    def received(self, link: Link, frame: Frame) -> None:
        try:
            if not link.attached.receive(frame):
                return
            if frame.kind == frames.CARRY:
                self.uses.carried(link, frame)
            else:
                self.uses.frame(frame)
        except (Disagreement, StreamError):
            self._begin_again_soon()
            raise

    def settle(self, link: Link) -> None:
        if not self._acking:
            self._acking = self._loop.call_later(_ACK_AFTER, self._acknowledge)
        link.pump()
        newest = self.newest
        if newest and newest is not link:
            newest.pump()
        if not link.is_confirmed and link.has_heard:
            link.is_confirmed = True
            self.uses.confirmed(link)
        self._tally.resent = self.delivery.kept.resent
        self.uses.more()

    def lost(self, link: Link, problem: NdksError | None) -> None:
        if link in self._links:
            self._links.remove(link)
        self._tally.cuts += link.was_cut
        if problem:
            self._tell(problem)
        if self.newest is link:
            self.newest = None
        elif self.newest:
            self.newest.pump()  # its ACK waited for the end of this one
            self.uses.more()
        self.uses.ended(link)

    def _begin_again_soon(self) -> None:
        """Begin again once everything that is using a stream has returned."""
        self._beginning = self._beginning or self._loop.call_soon(self.begin_again)

    def _acknowledge(self) -> None:
        self._acking = None
        self.delivery.acknowledge()
        if self.newest:
            self.newest.pump()

    def _tell(self, problem: NdksError) -> None:
        _log.warning("%s: %s. Do: %s", problem.code, problem, problem.advice)
