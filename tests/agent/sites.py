# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Agents of units of tests at a broker, their administrator, and what each has sent and received."""

import base64
import contextlib
from pathlib import Path

from carriers.inbox import wait_until
from support.agents import administrator, unit_of

from agent.running import Plugged, Running, running
from ndks.carriers.mqtt import MqttCarrier
from ndks.network.bundle import Bundle

MESSAGES = 10  # of each agent, in each round


class Sites:
    """A network. `found` starts it; whatever it starts, `stack` ends."""

    def __init__(self, directory: Path, url: str, stack: contextlib.ExitStack) -> None:
        self.admin = administrator()
        self.agents: dict[int, Running] = {}
        self._sent: dict[int, list[bytes]] = {}
        self._received: dict[int, dict[int, list[bytes]]] = {}
        self._since: dict[int, dict[int, int]] = {}  # how much others had sent when an agent started
        self._directory, self._url, self._stack = directory, url, stack

    def found(self, count: int) -> None:
        """Start so many agents in the first generation; the first one leads."""
        lanes = [self.admit() for _ in range(count)]
        bundle = self.admin.issue()
        for lane in lanes:
            self.start(lane)
        self.wait_for_broker()
        self._publish(bundle)
        self.wait_for_generation()
        self.agents[lanes[0]].plugged.unit.lead()

    def admit(self) -> int:
        return self.admin.admit(f"{0xABC000 + self.admin.state.free_lane():016X}")

    def start(self, lane: int, *, mode: int | None = None) -> None:
        """Start the agent of a unit that has no generation yet."""
        unit = unit_of(self.admin, lane)
        if mode is not None:
            unit.set_role(mode)
        carriers = [MqttCarrier(self._url, f"agent{lane}")]
        home = self._directory / f"agent{lane}"
        self._since[lane] = {other: len(sent) for other, sent in self._sent.items()}
        self._sent[lane], self._received[lane] = [], {}
        self.agents[lane] = self._stack.enter_context(running(Plugged(unit), self.admin.keys.public, [*carriers], home))

    def issue(self) -> None:
        """Make the next generation, and send its bundle once."""
        self._publish(self.admin.issue())

    def _publish(self, bundle: Bundle) -> None:
        """Send a bundle; the administrator leaves when the broker has it."""
        office = MqttCarrier(self._url, "office")
        self._stack.callback(office.close)
        office.start(lambda received: received.taken())
        office.send(bundle.content, bundle.g)
        wait_until(lambda: office.is_idle)
        office.close()

    def wait_for_broker(self) -> None:
        """Wait until all are connected: what a monitor sends, nobody asks for again."""
        wait_until(lambda: not any(agent.loop.carriers[0].problem for agent in self.agents.values()))

    def wait_for_generation(self) -> None:
        """Wait until all are in the newest generation."""
        wait_until(lambda: all(self._generation(lane) == self.admin.state.g for lane in self.agents))

    def _generation(self, lane: int) -> int | None:
        with self.agents[lane].client() as client:
            return client.ask("status")["unit"].get("generation")

    def send(self) -> None:
        """Let all send messages, in turns."""
        with contextlib.ExitStack() as stack:
            clients = {lane: stack.enter_context(self.agents[lane].client()) for lane in self.agents}
            for _ in range(MESSAGES):
                for lane, client in clients.items():
                    text = b"%d of %d" % (len(self._sent[lane]), lane)
                    client.send(text)
                    self._sent[lane].append(text)

    def check(self) -> None:
        """Wait until all have all messages; check that each came once and in order, and none was lost."""
        for lane in self.agents:
            expected = {
                other: sent[self._since[lane].get(other, 0) :] for other, sent in self._sent.items() if other != lane
            }
            wait_until(lambda: self._receive(lane) >= sum(map(len, expected.values())))  # noqa: B023
            assert {other: self._received[lane].get(other, []) for other in expected} == expected

    def _receive(self, lane: int) -> int:
        """Take what has arrived; return how many messages that were in all."""
        received = self._received[lane]
        with self.agents[lane].client() as client:
            for event in client.events(follow=False):
                if event["kind"] == "lost" and event["last"] <= self._since[lane].get(event["lane"], 0):
                    continue  # it was sent before this one joined
                assert event["kind"] == "message", event
                received.setdefault(event["lane"], []).append(base64.b64decode(event["data"]))
        return sum(map(len, received.values()))
