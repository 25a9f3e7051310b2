# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Hosts, units, administrators and thieves on a bad channel; every random choice comes from one seed."""

import heapq
from collections import Counter
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

from .attacker import Attacker
from .checks import Checks
from .interface import Administrator, Issued, Machine, Packet, Side

Key = int | tuple[str, int]  # a lane, or an administrator


class Node:
    """A unit and its host."""

    def __init__(self, world: "World", machine: Machine) -> None:
        self.world, self.machine, self.lane = world, machine, machine.lane
        self.up_at, self.polled_at = 0, world.now
        self.stolen = self.erased = False

    @property
    def mode(self) -> str:
        return self.machine.mode

    @property
    def honest(self) -> bool:
        return not self.stolen and not self.erased

    @property
    def is_master(self) -> bool:
        view = self.machine.view
        return view is not None and view.is_master

    def run(self, work: Callable[..., list[Packet]], *arguments: Any) -> None:
        """Let the host do something; the unit may lose power in it, the host may crash."""
        try:
            packets = work(*arguments)
        except self.world.side.interruptions as interruption:
            packets = self.machine.recover(interruption)
        for packet in packets:
            self.world.publish(self.lane, packet)
        self.world.checks.after_step(self)


class Office:
    """An administrator's host on the channel."""

    def __init__(self, world: "World", file: Administrator) -> None:
        self.world, self.file, self.key = world, file, ("administrator", file.number)
        self._ticked_at = self._watched = 0

    def issue(self) -> Issued:
        self.file.issue()
        self._watch()
        return self.file.issued[-1]

    def tick(self) -> None:
        elapsed, self._ticked_at = self.world.now - self._ticked_at, self.world.now
        self._publish(self.file.tick(elapsed))

    def receive(self, packet: Packet) -> None:
        self.tick()
        answers = self.file.receive(packet)
        self._watch()
        self._publish(answers)

    def _watch(self) -> None:
        """Let the checks know of the generations that are new."""
        for each in self.file.issued[self._watched :]:
            self.world.checks.on_issue(each)
        self._watched = len(self.file.issued)

    def _publish(self, packets: list[Packet]) -> None:
        for packet in packets:
            self.world.publish(self.key, packet)


class World:
    """`calm`: a channel without trouble, as the directed tests and the costs need."""

    def __init__(
        self, side: Side, seed: object, size: int, administrators: int = 2, *, calm: bool = False, monitors: bool = True
    ) -> None:
        self.side, self.random, self.calm = side, Random(f"world {seed}"), calm
        self.now = self.events = 0
        self.period = 4  # ticks between two polls of a host
        self._queue: list[tuple[int, int, Key | None, Packet, Key]] = []
        self._order = count()
        self.trace: list[Packet] = []
        self.bundles: list[Packet] = []
        self.published: Counter[str] = Counter()
        self.bytes = 0
        self.nodes: dict[int, Node] = {}
        self.groups: dict[Key, int] = {}
        self.attackers: list[Attacker] = []
        self.joined: dict[int, int] = {}
        self.drop, self.double, self.late, self.hold = (0, 0, 0, 1) if calm else (0.15, 0.1, 0.01, 0.5)
        self.checks = Checks(self)
        root = self.random.randbytes(32)
        self.offices = {
            number: Office(self, side.administrator(number, administrators, root, self.random))
            for number in range(administrators)
        }
        first = self.offices[0]
        for index in range(size):
            monitor = monitors and size > 4 and index % 9 == 8
            self.add_node(first.file.new_member("monitor" if monitor else "elected"))
        bundle = first.issue().bundle
        for office in self.offices.values():
            office.receive(bundle)

    def add_node(self, member: Any, group: int = 0) -> Node:
        node = Node(self, self.side.machine(member, self.checks.on_seal, self.random))
        self.nodes[node.lane] = node
        self.groups[node.lane] = group
        self._at(self.random.randrange(1, self.period + 1), None, None, node.lane)
        return node

    def live(self) -> list[Node]:
        return [node for node in self.nodes.values() if node.honest]

    # The channel

    def publish(self, sender: Key, packet: Packet) -> None:
        self.trace.append(packet)
        kind = self.side.kind_of(packet)
        sight = self.side.sight_of(packet) if kind == "capsule" else None
        if sight:
            kind = sight.kind
            self.checks.on_publish(sight)
        self.published[kind] += 1
        self.bytes += self.side.size_of(packet)
        if kind == "bundle" and packet not in self.bundles:
            self.bundles.append(packet)
            for attacker in self.attackers:
                attacker.open_bundle(packet)
        for receiver in (*self.nodes, *(office.key for office in self.offices.values())):
            if receiver == sender or self.random.random() < self.drop:
                continue
            for _ in range(1 + (self.random.random() < self.double)):
                self._at(self._delay(), receiver, packet, sender)

    def _delay(self) -> int:
        if self.calm:
            return 1
        luck = self.random.random()
        if luck < self.late:
            return self.random.randrange(500, 5000)
        return self.random.randrange(1, 100 if luck < 0.1 else 8)

    def _at(self, delay: int, receiver: Key | None, packet: Packet, sender: Key) -> None:
        heapq.heappush(self._queue, (self.now + delay, next(self._order), receiver, packet, sender))

    def run_until(self, time: int) -> None:
        while self._queue[0][0] <= time:
            self.step()
        self.now = max(self.now, time)

    @property
    def next_at(self) -> int:
        return self._queue[0][0]

    def step(self) -> None:
        """Let the next event happen: a packet arrives, or a host polls its unit."""
        self.now, _, receiver, packet, sender = heapq.heappop(self._queue)
        self.events += 1
        if receiver is None:
            self._poll(self.nodes[sender])  # type: ignore[index]
        elif self._apart(sender, receiver):
            if self.random.random() < self.hold:
                self._at(self.random.randrange(20, 400), receiver, packet, sender)
        elif isinstance(receiver, tuple):
            if receiver[1] in self.offices:
                self.offices[receiver[1]].receive(packet)
        else:
            node = self.nodes[receiver]
            if self.now >= node.up_at and not node.erased:
                node.run(node.machine.receive, packet)

    def _apart(self, sender: Key, receiver: Key) -> bool:
        thief = any(node.stolen for node in map(self.nodes.get, (sender, receiver)) if node)  # type: ignore[arg-type]
        return not thief and self.groups.get(sender, 0) != self.groups.get(receiver, 0)

    def _poll(self, node: Node) -> None:
        if node.erased:
            return
        self._at(self.period, None, None, node.lane)
        if self.now >= node.up_at:
            elapsed, node.polled_at = self.now - node.polled_at, self.now
            node.run(node.machine.tick, min(elapsed, 0xFFFF))
        for office in self.offices.values():
            office.tick()

    def send(self, node: Node, payload: bytes) -> None:
        """Let a member send a message; a crash may come before it has a number."""
        before = node.machine.last_sent
        node.run(node.machine.send, payload)
        if node.machine.last_sent != before:
            self.checks.on_send(node.lane, node.machine.last_sent, payload)

    # What happens to them

    def steal(self, node: Node) -> None:
        """Take unit and laptop, with all that is in them, while they run."""
        node.stolen = True
        node.machine.cut_power_in(None)
        node.machine.crash_in(None)
        node.machine.restart_unit()
        attacker = Attacker(self.side, node.machine, self.bundles, self.random)
        self.attackers.append(attacker)
        view = node.machine.view
        assert view
        self.checks.on_theft(attacker, view)

    def roll_back(self, node: Node, image: Any) -> None:
        """Put an old image of its flash back."""
        node.machine.put_back(image)
        self.checks.on_put_back(node.lane)

    def restore_store(self, node: Node, backup: Any) -> None:
        """Put an old copy of its store back, or none."""
        node.machine.restore(backup)
        self.checks.on_new_store(node.lane, node.machine.log)

    def erase(self, node: Node) -> None:
        node.erased = True
        node.machine.erase()

    def heal(self) -> None:
        """Channel and hosts work again, administrators know of each theft; one administrator may be gone for good."""
        self.groups = {}
        self.drop, self.double, self.late, self.hold = 0.02, 0.02, 0, 1
        for node in self.nodes.values():
            node.up_at = min(node.up_at, self.now)
            node.machine.cut_power_in(None)
            node.machine.crash_in(None)
        if len(self.offices) > 1 and self.random.random() < 0.4:
            self.offices.pop(self.random.choice(sorted(self.offices)))
        stolen = {attacker.lane for attacker in self.attackers}
        if not any(stolen <= office.file.revoked for office in self.offices.values()):
            office = self.offices[max(self.offices)]
            for lane in stolen - office.file.revoked:
                office.file.revoke(lane)
            office.issue()
