# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""All members at one table: the channel between them, which is recorded, and the clock, which the test moves."""

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

import ndks
from ndks.exceptions import CheckFailed
from ndks_laboratory.stages.sides import Side
from ndks_protocol.control.limits import BEACON, MOVE_PAUSE

from .desk import Desk
from .member import Member

OPEN, HOLD, LOSE = "open", "hold", "lose"  # what the channel does with packets

_LONGEST = 400  # ticks for anything that a network does by itself; another master leads after 33 to 48

Opener = Callable[[Side], AbstractContextManager[ndks.Unit]]


class Table:
    """The members, the administrator's desk, the channel, and a clock. `recording` has all packets ever sent."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.members: list[Member] = []
        self.recording: list[bytes] = []
        self.now = 0
        self.channel = OPEN
        self._held: list[tuple[Member | None, bytes]] = []

    @property
    def present(self) -> list[Member]:
        """The members that are plugged in."""
        return [member for member in self.members if member.is_present]

    def master(self) -> Member:
        """Wait until all agree, because two may lead for some ticks; return the member that leads. CheckFailed."""
        self.until_agreed()
        return next(member for member in self.present if member.leads)

    def publish(self, sender: Member | None, packets: Iterable[bytes]) -> None:
        """Bring packets to all others, and then their answers; None: from the administrator, or an adversary."""
        waiting = deque((sender, packet) for packet in packets)
        while waiting:
            author, packet = waiting.popleft()
            self.recording.append(packet)
            if self.channel != OPEN:
                self._held += [(author, packet)] if self.channel == HOLD else []
                continue
            for member in self.present:
                if member is not author:
                    waiting += [(member, answer) for answer in member.receive(packet)]

    def release(self) -> None:
        """Open the channel, and let through what was held, the last packet first."""
        self.channel = OPEN
        held, self._held = self._held, []
        for author, packet in reversed(held):
            for member in self.present:
                if member is not author:
                    self.publish(member, member.receive(packet))

    def tick(self) -> None:
        """Let a tick pass for everybody."""
        self.now += 1
        packets, self.desk.published = self.desk.published, []
        self.publish(None, packets)
        for member in self.present:
            self.publish(member, member.tick())

    def pause(self) -> None:
        """Let time pass until each unit may renew again."""
        for _ in range(MOVE_PAUSE + BEACON):
            self.tick()

    def until(self, condition: Callable[[], bool], what: str, ticks: int = _LONGEST) -> int:
        """Let time pass until a condition holds; return how many ticks that took. CheckFailed."""
        for passed in range(ticks):
            if condition():
                return passed
            self.tick()
        if condition():
            return ticks
        raise CheckFailed(f"within {ticks} ticks it does not come about that {what}")

    def agree(self) -> bool:
        """Whether all present members are in one epoch, and follow one of them."""
        masters = [member.lane for member in self.present if member.leads]
        places = {member.place for member in self.present}
        newest = self.desk.administrator.state.g
        return (
            len(masters) == len(places) == 1
            and places == {(self.present[0].agent.epoch, masters[0])}
            and self.present[0].generation == newest
        )

    def until_agreed(self) -> int:
        return self.until(self.agree, "one unit leads, and all others are in its epoch")

    def send(self, member: Member, data: bytes, content: int = 0) -> None:
        self.publish(member, member.send(data, content))

    def talk(self, what: str, members: list[Member] | None = None) -> int:
        """Have each member send a message, and wait until it has reached all others; return the ticks. CheckFailed."""
        talking = members or self.present
        texts = {member.lane: f"{what}, from lane {member.lane}".encode() for member in talking}
        for member in talking:
            self.send(member, texts[member.lane])
        return self.until(lambda: _have_all(talking, texts), f"all have what was said: {what}")


def _have_all(members: list[Member], texts: dict[int, bytes]) -> bool:
    return all(
        texts[sender.lane] in member.texts(sender.lane)
        for member in members
        for sender in members
        if sender is not member
    )
