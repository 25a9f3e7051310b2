# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Packets of agents, through the socket `carry` and in CARRY frames. They may be lost with a link: agents ask again.

A packet goes in frames of 64 KB; a shorter frame, maybe an empty one, is its last. An empty packet is from the gateway
itself: sent first on each link, it says that this end has --udp.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from ndks.carriers.carrier import BUNDLES, LARGEST
from ndks.carriers.tunnel import DOWN, HEAD, UP, packed

from ..tunnel import frames
from ..tunnel.bundles import Bundle
from ..tunnel.frames import MOST_DATA, Frame
from .links import Link
from .tally import Tally
from .turns import Turns

_LAST_MARK = 0xFFFF + 1  # of the last generation
HAS_UDP = frames.frame(frames.CARRY)
_UNREAD = 2 * LARGEST  # bytes that wait for an agent; beyond, packets are lost


class Out(Protocol):
    """Where frames go."""

    @property
    def may_send(self) -> bool: ...

    def talk(self, frame: bytes) -> bool: ...


class Agent(asyncio.Protocol):
    """One connection of a carrier."""

    def __init__(self, carrying: "Carrying") -> None:
        self._carrying = carrying
        self._transport: asyncio.Transport | None = None
        self._unread = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._carrying.came(self)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while len(self._unread) >= HEAD.size:
            size, mark = HEAD.unpack_from(self._unread)
            if size > LARGEST or mark > _LAST_MARK:
                self.close()
                return
            if len(self._unread) < HEAD.size + size:
                break
            packet = bytes(self._unread[HEAD.size : HEAD.size + size])
            del self._unread[: HEAD.size + size]
            self._carrying.send(packet, mark - 1 if mark else None)
        self._wait_if_needed()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._carrying.went(self)

    def write(self, message: bytes) -> None:
        if self._transport and self._transport.get_write_buffer_size() < _UNREAD:
            self._transport.write(message)

    def resume(self) -> None:
        if self._transport:
            self._transport.resume_reading()

    def close(self) -> None:
        if self._transport:
            self._transport.abort()

    def _wait_if_needed(self) -> None:
        if self._transport and self._carrying.must_wait:
            self._transport.pause_reading()
            self._carrying.turns.wait(self)


class Carrying:
    """What agents here and at the other end say to each other."""

    def __init__(self, out: Out, turns: Turns, tally: Tally) -> None:
        self.turns = turns
        self._out = out
        self._tally = tally
        self._agents: list[Agent] = []
        self._parts: dict[Link, bytearray] = {}  # of packets that have not come to their end
        self._bundles: dict[int, bytes] = {}  # from the agent here, by generation
        self._news: list[Bundle] = []  # from the other end, for an agent that comes later
        self._is_up = False

    @property
    def must_wait(self) -> bool:
        """Whether there is a link that is full."""
        return self._is_up and not self._out.may_send

    def agent(self) -> Agent:
        """Return the protocol of a connection at the socket."""
        return Agent(self)

    def came(self, agent: Agent) -> None:
        self._agents.append(agent)
        agent.write(UP if self._is_up else DOWN)
        for generation, packet in self._news:
            agent.write(packed(packet, generation))
        self._news.clear()

    def went(self, agent: Agent) -> None:
        self._agents.remove(agent)
        self.turns.leave(agent)

    def set_up(self, is_up: bool) -> None:
        """Tell agents whether there is a link."""
        if is_up != self._is_up:
            self._is_up = is_up
            for agent in self._agents:
                agent.write(UP if is_up else DOWN)

    def send(self, packet: bytes, generation: int | None) -> None:
        """Send a packet of the agent here; keep a bundle for a gateway that is behind."""
        if generation is not None:
            self._bundles[generation] = packet
            for old in sorted(self._bundles)[:-BUNDLES]:
                del self._bundles[old]
        view = memoryview(packet)
        parts = [view[at : at + MOST_DATA] for at in range(0, len(packet) + 1, MOST_DATA)]
        if packet and all(self._out.talk(frames.frame(frames.CARRY, 0, part)) for part in parts):
            self._tally.carried_sent += 1

    def receive(self, link: Link, frame: Frame) -> None:
        """Take a CARRY frame of a link."""
        parts = self._parts.setdefault(link, bytearray())
        parts += frame.data
        if len(frame.data) == MOST_DATA and len(parts) <= LARGEST:
            return
        del self._parts[link]
        if not parts:  # not from an agent; to one it would say that there is no link
            link.peer_has_udp = True
        elif len(parts) <= LARGEST:
            self._tally.carried_received += 1
            for agent in self._agents:
                agent.write(packed(bytes(parts)))

    def ended(self, link: Link) -> None:
        """Drop the packet of which a link has brought only a part."""
        self._parts.pop(link, None)

    def bundles(self, since: int | None) -> Sequence[Bundle]:
        """Return the bundles that the agent here has sent, of generations above this one, or all."""
        return [(g, packet) for g, packet in sorted(self._bundles.items()) if since is None or g > since]

    def deliver(self, bundles: Sequence[Bundle]) -> None:
        """Give the agent what a handshake brought; it checks who signed it."""
        news = [bundle for bundle in bundles if bundle[1]]  # an empty one, which is forged, would mean a link
        for generation, packet in news:
            for agent in self._agents:
                agent.write(packed(packet, generation))
        if not self._agents:
            self._news = news[-BUNDLES:]

    def close(self) -> None:
        for agent in list(self._agents):
            agent.close()
