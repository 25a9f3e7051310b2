# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The scene of a network's test: the units at their ports, which become members at one table."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import ndks
from ndks.exceptions import CheckFailed
from ndks.network.join_request import JoinRequest
from ndks.network.network_file import Network
from ndks_laboratory.homologation.plan import HomologationPlan
from ndks_laboratory.stages.sides import Side

from .desk import Desk
from .member import Member
from .table import Opener, Table


@dataclass
class Scene:
    """The sides, and how to open their units; what is open is closed with `stack`."""

    plan: HomologationPlan
    sides: Sequence[Side]
    open: Opener
    stack: contextlib.ExitStack
    desk: Desk = field(init=False)
    table: Table = field(init=False)
    _open: dict[str, contextlib.ExitStack] = field(default_factory=dict[str, contextlib.ExitStack])

    def __post_init__(self) -> None:
        network = self.plan.network
        self.desk = Desk(Network.new(network.name, digits=network.digits, suite=network.suite))
        self.table = Table(self.desk)

    def opened(self, side: Side) -> ndks.Unit:
        """Return the unit of a side, which stays open."""
        stack = self._open[side.name] = contextlib.ExitStack()
        self.stack.callback(stack.close)
        return stack.enter_context(self.open(side))

    def request(self, side: Side) -> tuple[ndks.Unit, JoinRequest]:
        """Open a blank unit, and have it ask to join."""
        unit = self.opened(side)
        return unit, unit.join_request(network=self.plan.network.name, label=side.name)

    def enrol(self, side: Side, unit: ndks.Unit, request: JoinRequest) -> Member:
        """Admit a unit, and have it join and begin."""
        package = self.desk.admit(request)
        unit.enrol(package)
        member = Member(side, unit, package, self.plan.seed)
        self.table.members.append(member)
        return member

    def leave(self, member: Member) -> None:
        """Unplug a member's unit: for the others it is gone."""
        member.is_present = False
        self._open.pop(member.side.name).close()

    def come_back(self, member: Member) -> None:
        """Plug it in again."""
        self.table.publish(member, member.come_back(self.opened(member.side)))

    def recover(self) -> None:
        """Bring the table back to the state in which parts begin, whatever the previous part has left."""
        self.table.release()
        for member in self.table.members:
            if not (member.is_present or member.is_stolen):
                self.come_back(member)
        with contextlib.suppress(CheckFailed):  # the next part reports it
            self.table.until_agreed()

    def closed(self, do: Callable[[], object]) -> None:
        """Do something while no unit is open."""
        present = self.table.present
        for member in present:
            self.leave(member)
        do()
        for member in present:
            self.come_back(member)
        self.table.until_agreed()
