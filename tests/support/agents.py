# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Agents with units of tests, an administrator, and a channel that the test has in its hands."""

from random import Random
from typing import Any

from ndks.agent import Agent, Limits, Store
from ndks.agent.events import Delivered, Event, Lost, Output
from ndks.network.administration import Administration
from ndks.network.administrator import Administrator
from ndks.network.network_file import Network

from .network_unit import NetworkUnit

ROOT = bytes(range(32))
NETWORK = Network("far", "hybrid", "vernam", "0.52", "25", 3, 0, bytes(range(32, 64)))


def administrator(number: int = 0, *, seed: int = 7, **fields: Any) -> Administrator:
    state = Administration(NETWORK, ROOT, number, **fields)
    return Administrator(state, random_bytes=Random(seed + number).randbytes)


class Host:
    """An agent with its unit and its store, and all that it told."""

    def __init__(
        self, unit: NetworkUnit, public: bytes, limits: Limits | None = None, store: Store | None = None
    ) -> None:
        self.unit, self.public, self.limits = unit, public, limits
        self.store = store or Store()
        self.events: list[Event] = []
        self.start()

    def start(self) -> None:
        """Begin with what the store has."""
        self.agent = Agent(self.unit, self.store, Random(3), self.limits, public=self.public)

    @property
    def delivered(self) -> list[tuple[int, int, bytes]]:
        return [(event.lane, event.s, event.data) for event in self.events if isinstance(event, Delivered)]

    @property
    def lost(self) -> list[Lost]:
        return [event for event in self.events if isinstance(event, Lost)]

    def _told(self, output: Output) -> list[bytes]:
        self.events += output.events
        return output.packets

    def send(self, data: bytes) -> list[bytes]:
        return self._told(self.agent.send(data))

    def receive(self, *packets: bytes) -> list[bytes]:
        return [answer for packet in packets for answer in self._told(self.agent.receive(packet))]

    def tick(self, ticks: int = 1) -> list[bytes]:
        return self._told(self.agent.tick(ticks))

    def ticks(self, count: int) -> list[bytes]:
        """Let time pass, a tick at a time."""
        return [packet for _ in range(count) for packet in self.tick()]


def unit_of(admin: Administrator, lane: int) -> NetworkUnit:
    """Return a unit that was just enrolled on a lane."""
    joined = admin.state.member(lane).joined
    return NetworkUnit(lane, joined, admin.keys.member_key(lane, joined))


def joined(admin: Administrator, count: int, limits: Limits | None = None) -> list[Host]:
    """Return hosts on new lanes of an administrator, all in its next generation."""
    lanes = [admin.admit(f"{0xABC000 + admin.state.free_lane():016X}") for _ in range(count)]
    bundle = admin.issue()
    hosts = [Host(unit_of(admin, lane), admin.keys.public, limits) for lane in lanes]
    for host in hosts:
        host.receive(bundle.content)
    return hosts


def talk(hosts: list[Host], ticks: int) -> None:
    """Let time pass on a channel without loss."""
    for _ in range(ticks):
        deliver(hosts, [(host, packet) for host in hosts for packet in host.tick()])


def deliver(hosts: list[Host], packets: list[tuple[Host, bytes]]) -> None:
    """Bring packets to all others, and what these answer."""
    while packets:
        sender, packet = packets.pop(0)
        for host in hosts:
            if host is not sender:
                packets += [(host, answer) for answer in host.receive(packet)]
