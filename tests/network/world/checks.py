# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""What must hold after every step, and at the end: section "what holds" of the rules."""

from typing import Any, NamedTuple

from .attacker import FORGED, Attacker
from .interface import Delivered, Issued, Sent, Sight, View


class Violation(Exception):
    """The rules do not hold."""


class Made(NamedTuple):
    """A generation that an administrator made."""

    g: int
    revoked: frozenset[int]
    members: frozenset[int]


class Checks:
    """Watches a world."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.made: dict[bytes, Made] = {}
        self._sent: dict[tuple[int, int], bytes] = {}  # lane, s -> what was sent
        self.claimed: set[int] = set()  # lanes in whose name somebody forged
        self.rolled: set[int] = set()  # lanes to whose unit an old image was put back
        self.restored: set[int] = set()  # lanes whose host has another store
        self.lost = self.sealed = 0
        self._texts: dict[tuple[bytes, int, int], Any] = {}
        self._honest: set[Any] = set()  # digests
        self._first: dict[tuple[int, int], bytes] = {}  # lane, s -> the generation in which it was sent
        self._known: dict[int, frozenset[int]] = {}
        self._read: dict[int, int] = {}
        self._delivered_to: dict[tuple[int, int], set[int]] = {}

    def fail(self, what: str, *details: Any) -> None:
        raise Violation(f"{what} {details} at {self.world.now}")

    # Events

    def on_seal(self, sight: Sight) -> None:
        """Take a capsule that an honest unit has made: no (key, lane, n) for two texts."""
        place = sight.key, sight.lane, sight.n
        if self._texts.setdefault(place, sight.content) != sight.content:
            self.fail("a number was used twice", sight.lane, sight.n)
        self._honest.add(sight.digest)
        self.sealed += 1

    def on_publish(self, sight: Sight) -> None:
        if sight.kind == "message" and sight.digest in self._honest:
            self._first.setdefault((sight.lane, sight.s), sight.generation)

    def on_send(self, lane: int, s: int, payload: bytes) -> None:
        if (lane, s) in self._first and self._sent.get((lane, s), payload) != payload:
            self.fail("another message has the number of one that was sent", lane, s)
        self._sent[lane, s] = payload

    def on_issue(self, issued: Issued) -> None:
        self.made[issued.generation] = Made(issued.g, issued.revoked, issued.members)

    def on_put_back(self, lane: int) -> None:
        """An old image of a unit's flash was put back."""
        self.rolled.add(lane)
        self._known.pop(lane, None)

    def on_new_store(self, lane: int, log: list[Delivered]) -> None:
        """What had come to this store may come again."""
        self.restored.add(lane)
        self._read[lane] = len(log)
        for pair in [pair for pair in self._delivered_to if pair[0] == lane]:
            del self._delivered_to[pair]

    def on_theft(self, attacker: Attacker, view: View) -> None:
        """What it gets from the unit and from all that was recorded is what the unit still kept, and no more."""
        if attacker.lane in self.rolled:
            return  # an old image of its flash was put back: that has old keys in it
        kept = {entry.generation: entry.low for entry in (view.here, *view.past)}
        for generation, haul in attacker.hauls.items():
            if self.made[generation].g > view.here.g or generation in attacker.from_merges:
                continue  # sent, and not yet entered
            if generation not in kept or haul.low < kept[generation]:
                self.fail("a thief finds a key that should be gone", attacker.lane)

    def after_step(self, node: Any) -> None:
        view: View | None = node.machine.view
        if node.honest:
            if view:
                self._check_unit(node, view)
            self._check_log(node, view)
        elif node.erased and view:
            self.fail("an erased unit is in a generation", node.lane)
        elif view and node.lane in self.made[view.here.generation].revoked:
            self.fail("a revoked unit is in a generation without it", node.lane)

    def _check_unit(self, node: Any, view: View) -> None:
        if not self._known.get(node.lane, frozenset()) <= view.revoked:
            self.fail("a unit forgets a revocation", node.lane)
        self._known[node.lane] = view.revoked
        if view.master in view.revoked:
            self.fail("a revoked unit leads", node.lane, view.master)
        if view.here.generation not in self.made:
            self.fail("a generation that no administrator made", node.lane)

    # What applications get

    def _check_log(self, node: Any, view: View | None) -> None:
        log = node.machine.log
        start = self._read.get(node.lane, 0)
        if start == len(log):
            return
        self._read[node.lane] = len(log)
        for delivered in log[start:]:
            self._check_delivered(node, view, delivered)

    def _check_delivered(self, node: Any, view: View | None, delivered: Delivered) -> None:
        lane, s, payload = delivered.lane, delivered.s, delivered.data
        seen = self._delivered_to.setdefault((node.lane, lane), set())
        if s in seen:
            self.fail("delivered twice", node.lane, lane, s)
        seen.add(s)
        if payload.startswith(FORGED):
            if view and int.from_bytes(payload[len(FORGED) :]) in view.revoked:
                self.fail("a revoked unit injects", node.lane, lane, s)
            return
        if self._sent.get((lane, s)) != payload:
            self.fail("delivered what was not sent", node.lane, lane, s)
        if node.lane not in self.made[self._first[lane, s]].members:
            self.fail("a newcomer reads what was sent before it joined", node.lane, lane, s)
        self._check_order(node, view, lane, s, seen)

    def _check_order(self, node: Any, view: View | None, lane: int, s: int, seen: set[int]) -> None:
        sender = self.world.nodes[lane]
        put_back = {lane, node.lane} & (self.rolled | self.restored)
        if lane in self.claimed or put_back or not sender.honest or s - 1 in seen:
            return
        before = [sent.sight for sent in sender.machine.outbox() if sent.s == s - 1]
        if before and before[0] and view and view.keeps(before[0]):
            self.fail("passes over what it can read", node.lane, lane, s)

    # The end

    def converged(self) -> str | None:
        """Return what is still missing after healing, or None."""
        self.lost = 0
        live = self.world.live()
        views = [node.machine.view for node in live]
        if None in views:
            return "a member without a generation"
        if len({(view.here.generation, view.here.number) for view in views}) != 1:
            return "several epochs"
        leaders = [node.lane for node, view in zip(live, views, strict=True) if view.is_master]
        if len(leaders) != 1 or {view.master for view in views} != set(leaders):
            return "not one master"
        outboxes = {node.lane: node.machine.outbox() for node in live}
        for node in live:
            if node.mode != "monitor":
                missing = self._missing(node, outboxes)
                if missing:
                    return f"{node.lane} lacks {missing}"
        return None

    def _missing(self, node: Any, outboxes: dict[int, list[Sent]]) -> tuple[Any, ...] | None:
        view: View = node.machine.view
        held = {kept.g for kept in (view.here, *view.past)}
        for lane, outbox in outboxes.items():
            if lane == node.lane or not outbox:
                continue
            account = node.machine.account(lane)
            for s, sight in outbox:
                if sight is None:
                    return lane, s, "not sealed"
                made = self.made[sight.generation]
                if node.lane not in made.members or s in account.delivered:
                    continue
                if made.g in held and s not in account.unreadable:
                    return lane, s
                if account.named is not None and s not in account.named:
                    return lane, s, "not named as lost"
                self.lost += 1
        return None

    def at_end(self) -> None:
        for node in self.world.live():
            self._check_unreadable(node)
            view: View = node.machine.view
            if any(kept.g < self.world.joined.get(node.lane, 0) for kept in (view.here, *view.past)):
                self.fail("a newcomer holds an older generation", node.lane)
        for attacker in self.world.attackers:
            self._check_readable(attacker)

    def _check_unreadable(self, node: Any) -> None:
        """What was named as lost, although it can be asked for, has no key any more."""
        for other in self.world.live():
            if node.lane in self.rolled | self.restored or other is node:
                continue
            unreadable = node.machine.account(other.lane).unreadable
            for s, sight in other.machine.outbox() if unreadable else ():
                if s in unreadable and sight and node.machine.view.keeps(sight):
                    self.fail("named as lost although its key is there", node.lane, other.lane, s)

    def _check_readable(self, attacker: Attacker) -> None:
        """A revoked unit, with all it has, reads nothing that was ever sent in generations that name it."""
        for packet in self.world.trace:
            sight = self.world.side.sight_of(packet)
            made = sight and self.made.get(sight.generation)
            if not sight or not made or sight.kind == "beacon" or sight.digest not in self._honest:
                continue
            if attacker.lane in made.revoked and attacker.reads(packet, sight):
                self.fail("a revoked unit reads", attacker.lane, sight.lane, sight.n)
