# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One end of a tunnel: links to the other end, streams and datagrams of applications, packets of agents."""

import asyncio
import logging
import time
from dataclasses import dataclass

from ndks.exceptions import NdksError

from ..tunnel.errors import is_unproven
from ..tunnel.streams import Streams
from .accepting import Accepting
from .capsules import Capsules
from .carrying import HAS_UDP, Agent, Carrying
from .connecting import Connecting
from .flows import MOST
from .gate import Gate
from .links import Link
from .listening import allow_files, listen, most_connections, most_strangers
from .partners import Partner
from .settings import AES, CAPSULE_VERNAM, Settings
from .sockets import BACKLOG, Sockets, reset_if_killed
from .store import Store
from .switching import Switch, Uses
from .tally import Tally
from .udp import Udp
from .waiting import Waiting

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LinkState:
    """The current link, for `ndks tunnel status`."""

    since: float  # of time.time()
    address: str  # of the other end, HOST:PORT
    lane: int  # of the other end's unit
    is_resumed: bool
    peer_has_udp: bool
    records: int  # sent and received
    octets: int


class End:
    """A or B, as the settings say. `run` listens, then works until it is cancelled."""

    def __init__(self, settings: Settings, gate: Gate, store: Store, tally: Tally) -> None:
        self.listening = asyncio.Event()  # at all addresses: READY
        self.link_lost = time.time()  # when there last was a link
        self.udp: Udp | None = None
        self.inner_port = self.outer_port = 0  # where this end listens
        self._settings = settings
        self._gate = gate
        self._tally = tally
        self._switch = switch = Switch(tally)
        self._streams = Streams(settings.is_connecting)
        self._capsules: Capsules | None = None
        if settings.record != AES:
            self._capsules = Capsules(gate, "vernam" if settings.record == CAPSULE_VERNAM else "aes", tally)
        self._sockets = Sockets(self._streams, switch, settings.inner, tally, self._capsules)
        self._waiting = Waiting(self._sockets.accepted, lambda: switch.newest is not None, lambda: self._sockets.free)
        self._carrying = Carrying(switch, self._sockets.turns, tally)
        self._partner = partner = Partner(settings, gate, store, self._carrying.bundles)
        self._linking: Connecting | Accepting
        if settings.is_connecting:
            self._linking = Connecting(partner, switch, settings.outer, tally, self._carrying.deliver)
        else:
            self._linking = Accepting(partner, switch, tally, self._carrying.deliver)
        switch.uses = Uses(
            frame=self._sockets.receive,
            carried=self._carrying.receive,
            attached=self._attached,
            confirmed=self._confirmed,
            reset=self._reset,
            more=self._sockets.turns.go,
            ended=self._ended,
        )

    async def run(self) -> None:
        """Serve until this is cancelled. NdksError: it cannot listen at an address."""
        servers: list[asyncio.Server] = []
        try:
            await self._listen(servers)
            self.listening.set()
            await self._work()
        finally:
            for server in servers:
                server.close()
            self._close()
            await asyncio.sleep(0)  # for the transports to close

    async def _listen(self, servers: list[asyncio.Server]) -> None:
        settings, linking = self._settings, self._linking
        files = allow_files()
        self._sockets.most = most_connections(files, MOST if settings.udp and not settings.is_connecting else 0)
        if isinstance(linking, Connecting):
            server = await listen(self._waiting.accepted, settings.inner, BACKLOG)
            reset_if_killed(server)
            self.inner_port = server.sockets[0].getsockname()[1]
        else:
            linking.most_strangers = most_strangers(files)
            server = await linking.listen(settings.outer)
            self.outer_port = server.sockets[0].getsockname()[1]
        servers.append(server)
        if settings.udp:
            self.udp = Udp(settings, self._tally)
            if isinstance(linking, Connecting):
                linking.is_spent = lambda: self.udp is not None and self.udp.is_spent

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch())
            if self._capsules:
                group.create_task(self._capsules.run())
            if isinstance(self._linking, Connecting):
                group.create_task(self._linking.run())

    async def _watch(self) -> None:
        """Wipe what may be resumed at each new generation."""
        known, generation = self._gate.changes, self._gate.generation
        while True:
            known = await self._gate.wait_change(known)
            if self._gate.generation != generation:
                generation = self._gate.generation
                self._wipe()
                self._switch.retire()
                if self.udp:
                    self.udp.retire()
                if await self._partner.is_revoked():
                    _log.warning("the other gateway's unit was revoked: its link is cut, and no other one is made")
                    self._switch.begin_again()
                    if self.udp:
                        self.udp.forget()
            elif isinstance(self._linking, Connecting):
                self._linking.changed()

    def _close(self) -> None:
        self._switch.close()
        self._waiting.close()
        self._sockets.close()
        self._carrying.close()
        if self.udp:
            self.udp.close()
        if isinstance(self._linking, Accepting):
            self._linking.close()

    # What links report

    def _attached(self, link: Link) -> None:
        self._streams.meet(link.established.peer.window)
        self._sockets.go_on()
        self._waiting.go_on()
        if self.udp:
            self.udp.renew(link.established, link.host, is_other=link.attached.is_reset)
            link.talk(HAS_UDP)
        self._carrying.set_up(self._switch.newest is not None)

    def _confirmed(self, link: Link) -> None:
        self._linking.confirmed(link)
        if self.udp and link is self._switch.newest:
            self.udp.confirm()

    def _reset(self) -> None:
        self._sockets.reset()
        self._streams.reset()

    def _ended(self, link: Link) -> None:
        self._carrying.ended(link)
        if self._switch.newest is None:
            self.link_lost = time.time()
            self._carrying.set_up(False)
            if isinstance(self._linking, Connecting):
                self._linking.changed()

    def _wipe(self) -> None:
        if isinstance(self._linking, Connecting):
            self._linking.wipe()
        else:
            self._linking.resumables.wipe()

    # For status and control

    @property
    def problem(self) -> str:
        """Why there is no link, or no new one, in words; "" if nothing is known to be wrong."""
        return str(self._problem or "")

    @property
    def problem_code(self) -> str:
        return self._problem.code if self._problem else ""

    @property
    def is_unproven(self) -> bool:
        """Whether anybody on the way can have caused what `problem` says of the other end."""
        return self._problem is not None and is_unproven(self._problem)

    @property
    def _problem(self) -> NdksError | None:
        return self._linking.problem

    @property
    def link(self) -> LinkState | None:
        """The link in use; None: there is none."""
        link = self._switch.newest
        if link is None or not link.is_confirmed:
            return None
        established = link.established
        peer = established.peer
        how = established.is_resumed, link.peer_has_udp
        return LinkState(link.since, link.address, peer.lane, *how, link.records, link.octets)

    @property
    def streams(self) -> int:
        """Streams that are open now."""
        return len(self._sockets)

    @property
    def kept_bytes(self) -> int:
        """Bytes that the other end has not acknowledged yet."""
        return self._switch.delivery.kept_bytes

    @property
    def flows(self) -> int:
        """Flows of datagrams that are not idle."""
        return len(self.udp.flows) if self.udp else 0

    def carrier(self) -> Agent:
        """A protocol for one connection at the socket `carry`: `loop.create_unix_server(end.carrier, path)`."""
        return self._carrying.agent()

    def forget(self) -> None:
        """Cut all links and drop what would resume them: the store has forgotten peer and pair doors."""
        self._wipe()
        if self.udp:
            self.udp.forget()
        self._switch.cut()
