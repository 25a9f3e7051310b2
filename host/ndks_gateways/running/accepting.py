# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""B: links that A makes. Whoever is refused sees that the connection is closed, and nothing else."""

import asyncio
import functools
import ipaddress
from collections import Counter
from collections.abc import Callable, Sequence
from random import SystemRandom

from ndks.exceptions import NdksError
from ndks.system_errors import file_error

from ..tunnel.bundles import Bundle
from ..tunnel.errors import Garbage, NoDoor, TooMany, UnitBehind, UnknownResumption
from ..tunnel.handshake import Established, Resumable, accept
from .greeting import Greeting, LinkClosed
from .links import Link
from .listening import listen
from .partners import Partner
from .settings import Address
from .switching import Switch
from .tally import Tally

_BACKLOG = 1024
_AT_ONCE = 16  # connections that are accepted in one turn of the loop: a flood leaves time for all that there is to do
_OF_STRANGERS = (NoDoor, Garbage, TooMany, LinkClosed, UnknownResumption)
_RANDOM = SystemRandom()


class Resumables:
    """The links that A may resume: the newest and, until A has used that, the one before.

    `by_id` is always up to date: a handshake that began before a wipe finds nothing in it.
    """

    def __init__(self) -> None:
        self.by_id: dict[bytes, Resumable] = {}
        self._newest: Resumable | None = None
        self._confirmed: Resumable | None = None

    def add(self, resumable: Resumable) -> None:
        self._newest = resumable
        self._changed()

    def confirm(self, resumable: Resumable) -> None:
        """Note that A has this one: it resumes no earlier one."""
        if resumable == self._newest:
            self._confirmed = resumable
            self._changed()

    def wipe(self) -> None:
        self._newest = self._confirmed = None
        self._changed()

    def _changed(self) -> None:
        self.by_id.clear()
        self.by_id.update({each.id: each for each in (self._newest, self._confirmed) if each})


class Accepting:
    """The server for links of one tunnel."""

    def __init__(
        self, partner: Partner, switch: Switch, tally: Tally, news: Callable[[Sequence[Bundle]], object]
    ) -> None:
        self.resumables = Resumables()
        self.problem: NdksError | None = None  # of the last gateway that knew a door
        self.most_strangers = 0  # connections that have shown no door yet: to be set before `listen`
        self._partner = partner
        self._switch = switch
        self._tally = tally
        self._news = news
        self._strangers: dict[asyncio.Task[None], bytes] = {}  # the site that each came from
        self._known: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def listen(self, where: Address) -> asyncio.Server:
        """Take connections. AddressError."""
        return await listen(lambda: Greeting(self._began), where, _BACKLOG, _AT_ONCE)

    def confirmed(self, link: Link) -> None:
        self.resumables.confirm(link.established.resumable)

    def close(self) -> None:
        self._is_closed = True
        for task in (*self._strangers, *self._known):
            task.cancel()

    def _began(self, greeting: Greeting) -> None:
        if self._is_closed:  # it was accepted before
            greeting.abort()
            return
        if len(self._strangers) >= self.most_strangers:
            self._make_room()
        task = asyncio.create_task(self._accept(greeting))
        self._strangers[task] = _site(greeting.host)
        task.add_done_callback(functools.partial(self._done, greeting))

    def _make_room(self) -> None:
        """Close a connection of the site that has most, so that a site that floods takes only its own places.

        Any one of them, and of several such sites: whoever floods from many, and however fast, leaves each connection
        some time, and a gateway needs little of it. Several gateways behind one address are one site.
        """
        sites = Counter(self._strangers.values())
        most = max(sites.values())
        closed = _RANDOM.choice([task for task, site in self._strangers.items() if sites[site] == most])
        del self._strangers[closed]  # now: more may come before its task has ended
        closed.cancel()

    def _done(self, greeting: Greeting, task: "asyncio.Task[None]") -> None:
        self._strangers.pop(task, None)
        self._known.discard(task)
        if task.cancelled() or task.exception():  # perhaps before it had begun
            greeting.abort()
        if not task.cancelled():
            task.result()

    async def _accept(self, greeting: Greeting) -> None:
        try:
            self._take(await self._established(greeting), greeting)
        except NdksError as error:
            self._refuse(greeting, error)
        except OSError as error:  # pins cannot be kept
            self._refuse(greeting, file_error(error))

    async def _established(self, greeting: Greeting) -> tuple[bytes, Established]:
        own = self._switch.delivery.process
        task = asyncio.current_task()
        assert task is not None

        def admitted() -> None:
            self._strangers.pop(task, None)
            self._known.add(task)

        handshake = accept(self._partner.identity(own), self.resumables.by_id, self._partner.expected)
        return own, await self._partner.perform(handshake, greeting, admitted)

    def _take(self, result: tuple[bytes, Established], greeting: Greeting) -> None:
        own, established = result
        self.problem = None
        self._tally.full += not established.is_resumed
        self._tally.resumed += established.is_resumed
        self.resumables.add(established.resumable)
        self._switch.attach(own, established, greeting.transport)

    def _refuse(self, greeting: Greeting, error: NdksError) -> None:
        self._tally.failed[error.code] += 1
        if not isinstance(error, _OF_STRANGERS):
            self.problem = error
        if isinstance(error, UnitBehind):
            self._news(error.bundles)
        greeting.close()


def _site(host: str) -> bytes:
    """Return the part of an IP address that names a site: all of an IPv4 address, the first 64 bits of an IPv6 one."""
    return ipaddress.ip_address(host.partition("%")[0] or "::").packed[:8]
