# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A thief with a unit, its laptop, and a record of all that was ever sent."""

from random import Random
from typing import Any

from .interface import Haul, Machine, Packet, Side, Sight

FORGED = b"forged by "


class Attacker:
    """It has what flash had when the unit was stolen, superseded records too, and opens all that it can with it."""

    def __init__(self, side: Side, machine: Machine, bundles: list[Packet], random: Random) -> None:
        self.side, self.lane, self._random = side, machine.lane, random
        self.hauls: dict[bytes, Haul] = {}
        self.from_merges: set[bytes] = set()
        hauls, self._member_keys = side.loot(machine)
        for haul in hauls:
            self._learn(haul)
        for bundle in bundles:
            self.open_bundle(bundle)

    def _learn(self, haul: Haul) -> None:
        known = self.hauls.get(haul.generation)
        if not known or haul.low < known.low:
            self.hauls[haul.generation] = haul

    def open_bundle(self, bundle: Packet) -> None:
        for g, key in self._member_keys:
            own, *sides = self.side.open_notice(bundle, g, key) or [None]
            if own:
                self._learn(own)
                self.from_merges |= {side.generation for side in sides}
                for side in sides:
                    self._learn(side)

    def reads(self, packet: Packet, sight: Sight) -> bool:
        """Whether it can open a capsule."""
        haul = self.hauls.get(sight.generation)
        return haul is not None and self.side.reads(haul, packet, sight)

    def act(self, world: Any) -> Packet:
        """Return something forged from what it knows, or something that was recorded."""
        what = self._random.randrange(6)
        if what == 0 and world.trace:
            return self._random.choice(world.trace)
        if what == 1 and world.bundles:
            bundle = self._random.choice(world.bundles)
            further = self._random.choice((1, 4, 9, 3000, 60000))
            return self.side.forge_bundle(bundle, min(self.side.g_of(bundle) + further, 65534))
        if what == 2:
            return self.side.ask(self._random.randrange(-1, 9))
        return self._forge(world, beacon=what == 3)

    def _forge(self, world: Any, *, beacon: bool) -> Packet:
        haul = self.hauls[self._random.choice(sorted(self.hauls))]
        lane, n = self._random.choice(sorted(world.nodes)), self._random.choice((9, 60, 1 << 40))
        ahead = self._random.choice((0, 1, 3, 20, 120))
        if beacon:
            number = haul.low + ahead * self._random.choice((1, 3, 3, 60))
            term = self._random.choice((1, 9, 0xFFFFFFFF))
            return self.side.forge_beacon(haul, lane, n, min(number, 0x3FFF), term)
        world.checks.claimed.add(lane)
        return self.side.forge(haul, lane, n, min(haul.low + ahead, 0x3FFF), self._word(world, lane))

    def _word(self, world: Any, lane: int) -> tuple[Any, ...]:
        account = self._random.choice(world.live()).machine.account(lane)
        s = self._random.choice((*account.missing[:1], max(account.delivered, default=0) + 1, 100000))
        return self._random.choice(
            (
                ("message", s, FORGED + self.lane.to_bytes(2)),
                ("report", s, s + 3, ((self._random.randrange(20), self._random.choice((1, s))),)),
                ("voucher", s, self.side.some_digest(self._random)),
                ("ask", lane, (1, 2, 3)),
            )
        )
