# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit and a host of the model in the world."""

import contextlib
from copy import deepcopy
from random import Random
from typing import Any

from ..model.agent import Agent
from ..model.capsules import Box, Refused
from ..model.epochs import Member
from ..model.flash import Flash, PowerCut
from ..model.packets import Bundle
from ..model.store import Delivered, Store
from ..model.unit import Ticked, Unit
from .interface import Account, Packet, Sent, View
from .model_views import first_records, sight_of, view_of


class WatchedUnit(Unit):
    """A unit that shows each capsule that it seals to `watch`, and counts notices."""

    watch: Any = None
    notices = 0

    def notice(self, g: int, box: Box) -> int:
        self.notices += 1
        return super().notice(g, box)

    def seal(self, kind: str, body: Any, size: int) -> tuple[Box, int]:
        sealed = super().seal(kind, body, size)
        self.watch(sight_of(sealed[0]))
        return sealed

    def tick(self, ticks: int) -> Ticked:
        ticked = super().tick(ticks)
        if ticked.beacon:
            self.watch(sight_of(ticked.beacon))
        return ticked


class ModelMachine:
    """A unit and a host of the model."""

    def __init__(self, member: Member, public: bytes, watch: Any, random: Random) -> None:
        self.lane, self.mode = member.lane, member.mode
        self.flash = Flash()
        self.flash.records = first_records(member)
        self.unit = WatchedUnit(self.flash, lambda: random.getrandbits(16))
        self.unit.watch = watch
        self.store = Store(member.g - 1)
        self.agent = Agent(self.unit, self.store, random, public)

    def receive(self, packet: Packet) -> list[Packet]:
        return self.agent.receive(packet)

    def tick(self, ticks: int) -> list[Packet]:
        return self.agent.tick(ticks)

    def send(self, payload: bytes) -> list[Packet]:
        return self.agent.send(payload)

    def renew(self) -> list[Packet]:
        with contextlib.suppress(Refused):
            self.unit.renew()
        return []

    def set_mode(self, mode: str) -> list[Packet]:
        self.unit.set_role(mode)
        self.mode = mode
        return []

    # Trouble

    def recover(self, interruption: BaseException) -> list[Packet]:
        published = self.agent.out
        if isinstance(interruption, PowerCut):
            self.restart_unit()
        else:
            self.restart_host()
        return published

    def restart_unit(self) -> None:
        while True:
            try:
                self.unit.start()
                return
            except PowerCut:
                pass

    def start_unit(self) -> None:
        self.unit.start()

    def whole(self) -> tuple[dict[str, Any], list[Any]]:
        return dict(self.flash.records), list(self.flash.superseded)

    def put_whole(self, flash: tuple[dict[str, Any], list[Any]]) -> None:
        self.flash.records, self.flash.superseded = dict(flash[0]), list(flash[1])

    def restart_host(self) -> None:
        self.agent.start()

    def cut_power_in(self, steps: int | None) -> None:
        self.flash.cut_in = steps

    def crash_in(self, steps: int | None) -> None:
        self.agent.crash_in = steps

    def erase(self) -> None:
        self.unit.erase()

    def image(self) -> dict[str, Any]:
        return dict(self.flash.records)

    def put_back(self, image: dict[str, Any]) -> None:
        floor = self.unit.own_number + 1  # its host knows the highest number that was used
        self.flash.records = image | {"numbers": max(floor, image.get("numbers", 1))}
        self.flash.cut_in = None
        self.restart_unit()

    def backup(self) -> Store:
        return deepcopy(self.store)

    def restore(self, backup: Store | None) -> None:
        store = deepcopy(backup) if backup else Store(self.store.base)
        store.begun = False
        self.store = self.agent.store = store
        self.agent.start()

    # For the directed cases

    @property
    def wear(self) -> int:
        return self.flash.moves

    @property
    def notices(self) -> int:
        return self.unit.notices

    def tick_unit(self, ticks: int) -> list[Packet]:
        self.unit.tick(ticks)
        return []

    def hint(self, g: int) -> bytes:
        return self.unit.hint(g)

    def keeps(self, bundle: Bundle) -> bool:
        return bundle in self.store.bundles.values()

    def sealed_data(self, payload: bytes) -> Packet:
        return self.unit.seal("data", ("data", payload), len(payload))[0]

    def accept(self, packet: Packet, *, allow_jump: bool = False) -> str:
        try:
            self.unit.open(packet, again=False, allow_jump=allow_jump)
            self.unit.accept(packet, allow_jump=allow_jump)
        except Refused as refused:
            return refused.name
        return ""

    # For the checks

    @property
    def view(self) -> View | None:
        return view_of(self.unit)

    @property
    def log(self) -> list[Delivered]:
        return self.store.log

    @property
    def last_sent(self) -> int:
        return self.store.last if self.store.begun else -1

    def outbox(self) -> list[Sent]:
        return [Sent(s, entry.box and sight_of(entry.box)) for s, entry in self.store.outbox.items()]

    def account(self, lane: int) -> Account:
        inbox = self.store.inbox(lane)
        missing = inbox.missing({kept.g for kept in (self.view.here, *self.view.past)} if self.view else set())
        return Account(frozenset(inbox.delivered), frozenset(inbox.unreadable), tuple(missing))
