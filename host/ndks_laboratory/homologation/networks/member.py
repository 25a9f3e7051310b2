# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A member of the test network: a unit at its laptop, with the product's agent, whose clock the test moves."""

from random import Random

import ndks
from ndks.agent import Agent, Limits, Store
from ndks.agent.events import Delivered, Lost, Output
from ndks.driver.network_verbs import NetworkUnit
from ndks.network.member_package import MemberPackage
from ndks_laboratory.stages.sides import Side
from ndks_protocol.wire import MASTER

KEPT = 8  # own messages that an agent keeps here: so few that the test can see older ones named as lost


class AskedUnit(NetworkUnit):
    """A unit as its agent sees it, which counts how often it is asked because of a bundle."""

    def __init__(self, unit: ndks.Unit) -> None:
        super().__init__(unit)
        self.asked = 0
        notice, hint = self.notice, self.hint

        def counted_notice(g: int, capsule: bytes) -> int:
            self.asked += 1
            return notice(g, capsule)

        def counted_hint(g: int) -> bytes:
            self.asked += 1
            return hint(g)

        self.notice, self.hint = counted_notice, counted_hint


class Member:
    """A unit that has been enrolled by a package, with its agent. `is_present`: it is plugged in and on the channel."""

    def __init__(self, side: Side, unit: ndks.Unit, package: MemberPackage, seed: int) -> None:
        self.side, self.lane = side, package.lane
        self.is_present, self.is_stolen = True, False
        self.arrived: list[Delivered] = []
        self.lost: list[Lost] = []
        self.sent: list[bytes] = []
        self.plug_in(unit)
        public = package.signing_key
        random = Random(f"{seed} {self.lane}")  # noqa: S311 (it spreads agents in time, and is not secret)
        self.agent = Agent(self.unit, Store(), random, Limits(keep=KEPT), public=public)
        self.receive(package.bundle)

    def plug_in(self, unit: ndks.Unit) -> None:
        """Use a session of the unit from now on."""
        self.opened, self.unit = unit, AskedUnit(unit)

    def come_back(self, unit: ndks.Unit) -> list[bytes]:
        """Go on with a new session of the unit; return what is to be published."""
        self.plug_in(unit)
        self.is_present = True
        return self._told(self.agent.reopen(self.unit))

    @property
    def leads(self) -> bool:
        return self.agent.ticked.role == MASTER

    @property
    def place(self) -> tuple[int | None, int]:
        """The epoch with its generation, and the master's lane, as the unit last said."""
        return self.agent.epoch, self.agent.ticked.master

    @property
    def generation(self) -> int:
        epoch = self.agent.epoch
        return -1 if epoch is None else epoch >> 16

    def texts(self, lane: int) -> list[bytes]:
        """Return the messages that have come from a lane, in the order in which they were delivered."""
        return [event.data for event in self.arrived if event.lane == lane]

    def send(self, data: bytes, content: int = 0) -> list[bytes]:
        self.sent.append(data)
        return self._told(self.agent.send(data, content))

    def receive(self, packet: bytes) -> list[bytes]:
        return self._told(self.agent.receive(packet))

    def tick(self) -> list[bytes]:
        return self._told(self.agent.tick(1))

    def renew(self) -> list[bytes]:
        """Begin the next epoch. DeviceError DELAYED."""
        return self._told(self.agent.renew())

    def _told(self, output: Output) -> list[bytes]:
        self.arrived += [event for event in output.events if isinstance(event, Delivered)]
        self.lost += [event for event in output.events if isinstance(event, Lost)]
        return output.packets
