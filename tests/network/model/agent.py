# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The agent's rules: messages, gaps, vouchers, bundles; no clock, no sockets."""

from .packets import Ask, Bundle, Packet
from .receiving import Receiving
from .rules import LONGEST_TICK
from .station import REST, SLOW


class Agent(Receiving):
    """Packets and ticks in, packets out."""

    def send(self, payload: bytes) -> list[Packet]:
        return self._do(self._send, payload)

    def receive(self, packet: Packet) -> list[Packet]:
        return self._do(self._receive, packet)

    def tick(self, ticks: int) -> list[Packet]:
        return self._do(self._tick, ticks)

    def _receive(self, packet: Packet) -> None:
        if isinstance(packet, Bundle):
            self._on_bundle(packet)
        elif isinstance(packet, Ask):
            self._on_ask(packet.g)
        elif self.unit.epoch is None:
            self._unknown = True
        else:
            self._on_capsule(packet)

    def _tick(self, ticks: int) -> None:
        self.now += min(ticks, LONGEST_TICK)  # who slept has waited for nothing
        self._enter()
        self._after_entering()
        if self.unit.epoch is None:
            self._unknown = True
        else:
            self._tick_member(ticks)
        self._speak_of_bundles()

    def _tick_member(self, ticks: int) -> None:
        ticked = self.unit.tick(ticks)
        if ticked.beacon:
            self.out.append(ticked.beacon)
        self._step()
        self._seal_waiting()
        if self._may_speak:
            if self.now >= self._report_at and self.store.sealed:
                self._report()
            for lane in sorted(self.store.inboxes):
                self._ask_for(lane)

    def _speak_of_bundles(self) -> None:
        if self.unit.mode == "monitor":
            return
        self._unknown = self._unknown or bool(self._candidates)
        if self._unknown and self.now >= self._ask_at:
            self._unknown, self._ask_at = False, self.now + REST
            self.out.append(Ask(self.g))
        if self.unit.is_master and self.now >= self._repeated_at + SLOW and not self._answer:
            self._answer = (self.now, -1)
        if self._answer and self.now >= self._answer[0]:
            self.out.extend(self.store.bundles[g] for g in self._later(self._answer[1]))
            self._answer, self._answered_at, self._repeated_at = None, self.now, self.now
