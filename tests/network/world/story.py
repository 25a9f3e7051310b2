# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What happens to a world, drawn from a seed; each action has a draw of its own, so that others can be left out."""

from collections import Counter
from collections.abc import Container
from random import Random
from typing import Any

from .checks import Violation
from .interface import Side
from .world import Node, World

SPACING = 3  # ticks between two actions, on average
OUTSIDER = -1  # in place of a lane
PATIENCE = 12000  # ticks after healing until all must be well

# How often each thing happens.
HARD = {
    "send": 40, "split": 2, "unite": 3, "cut_power": 8, "crash": 6, "away": 3, "renew": 3, "join": 1.2, "revoke": 2,
    "steal": 1.2, "erase": 0.3, "retire": 0.2, "refresh": 0.8, "attack": 15, "relay": 0.3, "copy": 0.6,
    "roll_back": 0.4, "back_up": 0.4, "lose_store": 0.2, "damage": 4,
}  # fmt: skip
GENTLE = HARD | {
    "steal": 0, "erase": 0.1, "join": 0.15, "refresh": 0.15, "renew": 0.5, "roll_back": 0, "lose_store": 0, "retire": 0,
}  # fmt: skip


class Story:
    """One world, from its seed to its end. `skip`: actions that are left out."""

    def __init__(self, side: Side, seed: int, size: int, events: int, weights: dict[str, float] = HARD) -> None:
        self.seed, self.size, self.events, self._weights = seed, size, events, weights
        self.world = World(side, seed, size)
        self.done: Counter[str] = Counter()
        self.actions = 0
        self._most_lost = max(2, size // 4)
        self._payloads = 0
        self._images: dict[int, Any] = {}
        self._backups: dict[int, Any] = {}

    def run(self, skip: Container[int] = ()) -> None:
        """Run trouble, then healing. Violation."""
        world = self.world
        while world.events < self.events:
            pause = Random(f"{self.seed} pause {self.actions}").randrange(2 * SPACING)
            world.run_until(world.now + 1 + pause)
            if self.actions not in skip:
                self._act(Random(f"{self.seed} action {self.actions}"))
            self.actions += 1
        world.heal()
        self._wait_until_well()
        world.run_until(world.now + 300)
        world.checks.at_end()

    def _wait_until_well(self) -> None:
        world, end = self.world, self.world.now + PATIENCE
        missing: str | None = "time"
        while missing and world.now < end:
            world.run_until(world.now + 64)
            if world.attackers and Random(f"{self.seed} late {world.now}").random() < 0.3:
                self._publish_forged(world.attackers[-1])
            missing = world.checks.converged()
        if missing:
            raise Violation(f"does not heal: {missing}")

    def _act(self, random: Random) -> None:
        name = random.choices(list(self._weights), list(self._weights.values()))[0]
        nodes = [node for node in self.world.live() if self.world.now >= node.up_at]
        if nodes and getattr(self, "_" + name)(random, random.choice(nodes)) is not False:
            self.done[name] += 1

    # Actions; False: it could not happen

    def _send(self, random: Random, node: Node) -> bool | None:
        if node.mode == "monitor":
            return False
        self._payloads += 1
        payload = b"%d" % self._payloads
        self.world.send(node, payload)
        return None

    def _split(self, random: Random, node: Node) -> None:
        parts = random.randrange(2, 4)
        for key in (*self.world.nodes, *(office.key for office in self.world.offices.values())):
            self.world.groups[key] = random.randrange(parts)

    def _unite(self, random: Random, node: Node) -> None:
        self.world.groups.clear()

    def _cut_power(self, random: Random, node: Node) -> None:
        node.machine.cut_power_in(random.randrange(self.world.side.steps_of_power))

    def _crash(self, random: Random, node: Node) -> None:
        node.machine.crash_in(random.randrange(8))

    def _away(self, random: Random, node: Node) -> None:
        node = random.choice([*(other for other in self.world.live() if other.is_master), node])
        node.up_at = self.world.now + random.choice((30, 300, 3000))
        node.machine.restart_unit()
        node.machine.restart_host()

    def _renew(self, random: Random, node: Node) -> bool | None:
        if not node.machine.view or node.mode == "monitor":
            return False
        for _ in range(random.choice((1, 1, 1, 3, 8))):
            node.run(node.machine.renew)
        return None

    def _join(self, random: Random, node: Node) -> bool | None:
        if len(self.world.nodes) >= self.size + 12:
            return False
        office = random.choice(list(self.world.offices.values()))
        member = office.file.new_member("elected")
        issued = office.issue()
        joined = self.world.add_node(member, self.world.groups.get(office.key, 0))
        self.world.joined[joined.lane] = issued.g
        joined.run(joined.machine.receive, issued.bundle)  # it is in the package
        return None

    def _revoke(self, random: Random, node: Node) -> bool | None:
        office = random.choice(list(self.world.offices.values()))
        stolen = [attacker.lane for attacker in self.world.attackers if attacker.lane not in office.file.revoked]
        if not stolen:
            return False
        office.file.revoke(random.choice(stolen))
        office.issue()
        return None

    def _steal(self, random: Random, node: Node) -> bool | None:
        leaders = [other for other in self.world.live() if other.is_master]
        victim = random.choice(leaders or [node]) if random.random() < 0.5 else node
        if not self._can_lose(victim):
            return False
        self.world.steal(victim)
        return None

    def _erase(self, random: Random, node: Node) -> bool | None:
        if not self._can_lose(node):
            return False
        self.world.erase(node)
        return None

    def _retire(self, random: Random, node: Node) -> bool | None:
        """A member goes: an administrator sees its unit zeroized."""
        office = random.choice(list(self.world.offices.values()))
        if not self._can_lose(node) or not office.file.has(node.lane):
            return False
        self.world.erase(node)
        office.file.retire(node.lane)
        office.issue()
        return None

    def _can_lose(self, node: Node) -> bool:
        live = self.world.live()
        speaking = sum(other.mode != "monitor" for other in live)
        return len(self.world.nodes) - len(live) < self._most_lost and speaking > 2 and node.machine.view is not None

    def _refresh(self, random: Random, node: Node) -> None:
        office = random.choice(list(self.world.offices.values()))
        if random.random() < 0.5:
            office.file.new_operators(random)
        office.issue()

    def _attack(self, random: Random, node: Node) -> bool | None:
        if not self.world.attackers:
            return False
        self._publish_forged(random.choice(self.world.attackers))
        return None

    def _damage(self, random: Random, node: Node) -> bool | None:
        """Somebody without keys alters what was sent."""
        packet = random.choice(self.world.trace) if self.world.trace else None
        damaged = packet and self.world.side.damaged(packet, random)
        if damaged is None:
            return False
        self.world.publish(OUTSIDER, damaged)
        return None

    def _publish_forged(self, attacker: Any) -> None:
        self.world.publish(attacker.lane, attacker.act(self.world))

    def _copy(self, random: Random, node: Node) -> None:
        self._images[node.lane] = node.machine.image()

    def _roll_back(self, random: Random, node: Node) -> bool | None:
        copied = [other for other in self.world.live() if other.lane in self._images]
        if not copied:
            return False
        node = random.choice(copied)
        self.world.roll_back(node, self._images[node.lane])
        return None

    def _back_up(self, random: Random, node: Node) -> None:
        self._backups[node.lane] = node.machine.backup()

    def _lose_store(self, random: Random, node: Node) -> None:
        self.world.restore_store(node, self._backups.get(node.lane))

    def _relay(self, random: Random, node: Node) -> bool | None:
        if node.mode != "elected" or not node.machine.view:
            return False
        node.run(node.machine.set_mode, "relay")
        return None
