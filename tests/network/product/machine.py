# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A product's agent with its store, over any device."""

import contextlib
from random import Random
from typing import Any

from ndks.agent import Agent, Store
from ndks.agent.events import Delivered, Output
from ndks.agent.inbox import Known
from ndks.exceptions import DeviceError
from ndks_emulator.power import PowerCut as UnitPowerCut
from ndks_protocol.wire import DATA

from ..model.flash import PowerCut
from ..world.interface import Account, Packet, Sent, View
from .capsules import Capsules

MODES = ("elected", "relay", "monitor")
POWER_CUTS = (PowerCut, UnitPowerCut)
_ALL = 1 << 30


class HostCrash(Exception):
    """The host stopped at a statement of its store."""


class ProductMachine:
    """A host and its unit."""

    def __init__(self, device: Any, mode: str, capsules: Capsules, public: bytes, random: Random) -> None:
        self.device, self.lane, self.mode = device, device.lane, mode
        self._capsules, self._public, self._random = capsules, public, random
        self._crash_in: int | None = None
        self.log: list[Delivered] = []
        self._place = 0
        self._early: list[Packet] = []  # what the agent published at its start
        self.store = Store(hook=self._hook)
        self._begin()

    def _hook(self, _: str) -> None:
        if self._crash_in is not None:
            self._crash_in -= 1
            if self._crash_in < 0:
                self._crash_in = None
                raise HostCrash

    def _begin(self) -> None:
        while True:
            try:
                self.agent = Agent(self.device, self.store, self._random, public=self._public)
                break
            except POWER_CUTS:
                self._start_unit()
            except HostCrash:
                pass

    def _packets(self, output: Output) -> list[Packet]:
        for place, event in self.agent.arrivals.after(self._place, _ALL):
            self._place = place
            if isinstance(event, Delivered):
                self.log.append(event)
        early, self._early = self._early, []
        return early + output.packets

    def receive(self, packet: Packet) -> list[Packet]:
        return self._packets(self.agent.receive(packet))

    def tick(self, ticks: int) -> list[Packet]:
        return self._packets(self.agent.tick(ticks))

    def send(self, payload: bytes) -> list[Packet]:
        return self._packets(self.agent.send(payload))

    def renew(self) -> list[Packet]:
        try:
            return self._packets(self.agent.renew())
        except DeviceError:
            return []

    def set_mode(self, mode: str) -> list[Packet]:
        self.device.set_role(MODES.index(mode))
        self.mode = mode
        return []

    # Trouble

    def recover(self, interruption: BaseException) -> list[Packet]:
        if not isinstance(interruption, HostCrash):
            self._start_unit()
        self._begin()
        return []

    def _start_unit(self) -> None:
        while True:
            with contextlib.suppress(*POWER_CUTS):
                self.device.start()
                return

    def restart_unit(self) -> None:
        self._start_unit()
        while True:
            try:
                self._early += self.agent.reopen(self.device).packets
                return
            except POWER_CUTS:
                self._start_unit()
            except HostCrash:
                self._begin()

    def start_unit(self) -> None:
        self.device.start()

    def restart_host(self) -> None:
        self._begin()

    def cut_power_in(self, steps: int | None) -> None:
        self.device.cut_power_in(steps)

    def crash_in(self, steps: int | None) -> None:
        self._crash_in = steps

    def erase(self) -> None:
        self.device.erase()

    def image(self) -> Any:
        return self.device.image()

    def put_back(self, image: Any) -> None:
        self.device.put_back(image)
        self.restart_unit()

    def whole(self) -> Any:
        return self.device.whole()

    def put_whole(self, flash: Any) -> None:
        self.device.put_whole(flash)

    def backup(self) -> bytes:
        return self.store._base.serialize()

    def restore(self, backup: bytes | None) -> None:
        self._crash_in = None
        self.store = Store(hook=self._hook)
        if backup:
            self.store._base.deserialize(backup)
        self._begin()
        if backup:
            self._early += self.agent.restored().packets
        self._place = max((place for place, _ in self.agent.arrivals.after(0, _ALL)), default=0)

    # For the directed cases

    @property
    def wear(self) -> int:
        return self.device.wear

    @property
    def notices(self) -> int:
        return self.device.notices

    def tick_unit(self, ticks: int) -> list[Packet]:
        self.device.tick(ticks)
        return []

    def hint(self, g: int) -> bytes:
        return self.device.hint(g)

    def keeps(self, bundle: Packet) -> bool:
        return bool(self.store.read("SELECT 1 FROM bundles WHERE is_kept AND content = ?", bundle))

    def sealed_data(self, payload: bytes) -> Packet:
        return self.device.seal(DATA, payload)[0]

    def accept(self, packet: Packet, *, allow_jump: bool = False) -> str:
        return self.device.accept(packet, allow_jump=allow_jump)

    # For the checks

    @property
    def view(self) -> View | None:
        return self.device.view

    @property
    def last_sent(self) -> int:
        return self.agent.outbox.last or 0

    def outbox(self) -> list[Sent]:
        rows = self.store.read("SELECT s, capsule FROM outbox ORDER BY s")
        return [Sent(s, self._capsules.sights[capsule] if capsule else None) for s, capsule in rows]

    def account(self, lane: int) -> Account:
        sets = self.agent.inbox(lane).sets
        delivered, unreadable, named = (
            _numbers(sets[kind]) for kind in (Known.DELIVERED, Known.UNREADABLE, Known.LOST)
        )
        return Account(delivered, unreadable, tuple(self.agent.missing(lane).numbers(32)), named)


def _numbers(spans: Any) -> frozenset[int]:
    """Return the numbers of spans, but for those of long spans that only a thief makes."""
    return frozenset(s for first, last in spans for s in range(first, min(last, first + 9999) + 1))
