# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A hundred agents on one Mosquitto, on this machine: how much they carry, and what that costs.

export PYTHONPATH=tests:tests/checks
python tests/benchmarks/agent_load.py                                 100 agents, about three minutes
python tests/benchmarks/agent_load.py --agents 10 --seconds 10 --json

Real: the broker; in each process an agent's loop, its store on the disk, its carrier, its socket, a program that
receives and confirms each message, and one of them has the administrator's file. Messages go in through the sockets,
and their numbers and times are checked at each receiver.
Not real: the units are those of tests (`support/network_unit.py`): the same capsules and keys, in the agent's process,
without session, service, generator, flash or elections; the first one leads. What a unit takes beside that is in
docs/speed.md: an agent with a real unit waits for it. There is no network between agents and broker.

CPU seconds are those of the processes, user and system; the programs that receive are in them. Memory of an agent is
what its process has (resident), and that with a part only of what it shares with the others (shared out). A delivery is
one message at one receiver; a message has as many as there are other members.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

from support import broker

from benchmarks.loaded_agent import ARRIVAL, TEXT, Member, Seen, run, watch
from ndks.agent.running.client import AgentClient
from ndks.network import administrator_file
from ndks.network.administration import Administration
from ndks.network.administrator import Administrator
from ndks.network.network_file import Network

PATIENCE = 240.0  # seconds
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_FORKS = multiprocessing.get_context("fork")


@dataclass
class Agent:
    """A process with an agent, and the connection by which messages are sent."""

    lane: int
    process: ForkProcess
    directory: Path
    seen: Any
    sent: int = 0
    client: AgentClient = field(init=False)

    def connect(self) -> None:
        wait((self.directory / "socket").is_socket, "an agent listens")
        self.client = AgentClient(self.directory / "socket")

    def send(self) -> float:
        """Send the next message; return when."""
        self.sent += 1
        now = time.monotonic()
        self.client.send(TEXT.pack(self.sent, now) + bytes(84))
        return now

    @property
    def cpu(self) -> float:
        assert self.process.pid
        return cpu_of(self.process.pid)

    def memory(self, kind: str) -> float:
        """Return MB, "Pss" or "Rss"."""
        lines = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().split("\n")
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(f"{kind}:"))


def cpu_of(pid: int) -> float:
    """Return the CPU seconds that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


@dataclass(frozen=True)
class Spent:
    """What a part of the run took: seconds, and CPU seconds."""

    seconds: float
    agents: float
    broker: float


class Load:
    """The network while it runs."""

    def __init__(self, agents: list[Agent], broker_pid: int, path: Path) -> None:
        self.agents = agents
        self.revoked: list[Agent] = []
        self.sent = 0
        self._broker = broker_pid
        self._path = path

    def spent(self) -> tuple[float, float, float]:
        """Return the time, and the CPU seconds of agents and broker."""
        return time.monotonic(), sum(agent.cpu for agent in self.agents), cpu_of(self._broker)

    def burst(self, count: int) -> None:
        """Let all agents send so many messages as fast as they take them; wait until they have come."""
        self.sent += count * len(self.agents)
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda agent: [agent.send() for _ in range(count)], self.agents))
        self.wait_until_all_came()

    def steady(self, rate: float, seconds: float, until: Callable[[], bool] = lambda: False) -> int:
        """Send messages of one agent after the other, so many a second in all; return how many."""
        began, count = time.monotonic(), 0
        while time.monotonic() < began + seconds and not until():
            self.agents[count % len(self.agents)].send()
            count += 1
            time.sleep(max(0.0, began + count / rate - time.monotonic()))
        self.sent += count
        return count

    def wait_until_all_came(self) -> None:
        wait(lambda: not any(map(self.missing, self.agents)), "all messages arrive")

    def missing(self, agent: Agent) -> int:
        """Return how many messages of others an agent has not delivered yet."""
        return self.sent - agent.sent - int(agent.seen[Seen.DELIVERED])

    def memory(self, kind: str) -> float:
        """Return MB of an agent, on average."""
        return statistics.mean(agent.memory(kind) for agent in self.agents)

    def have(self, epoch: int) -> bool:
        """Whether all are in an epoch, or in a later one."""
        return all(agent.seen[Seen.EPOCH] > epoch for agent in self.agents)

    def reaching(self, rate: float, begin: Callable[[], int]) -> list[float]:
        """Begin an epoch while messages are sent; return after how many seconds each agent was in it, in order."""
        began = time.monotonic()
        epoch = begin()
        self.steady(rate, PATIENCE, lambda: self.have(epoch))
        assert self.have(epoch), "not all have reached the epoch"
        return sorted(agent.seen[Seen.REACHED] - began for agent in self.agents)

    def renew(self) -> int:
        answer = self.agents[0].client.ask("renew")
        return answer["generation"] << 16 | answer["number"]

    def revoke(self) -> int:
        """Revoke the last one, as the administrator's command does: the agent with the file publishes the bundle."""
        self.revoked.append(self.agents.pop())
        with administrator_file.opened(self._path) as administrator:
            administrator.revoke([self.revoked[-1].lane])
            return administrator.issue().g << 16

    def check(self) -> None:
        """Check that all came once and in order, and that the revoked one read nothing that was sent since."""
        for agent in self.agents:
            assert not self.missing(agent), f"lane {agent.lane}: {self.missing(agent)} messages are missing"
            wrong, lost = agent.seen[Seen.WRONG], agent.seen[Seen.LOST]
            assert not wrong, f"lane {agent.lane}: {wrong} came twice or out of order"
            assert not lost, f"lane {agent.lane}: {lost} are lost"
        since = max(agent.seen[Seen.REACHED] for agent in self.agents)
        assert all(agent.seen[Seen.NEWEST] < since for agent in self.revoked), "a revoked unit read a message"


def arrivals(agents: list[Agent], since: float, until: float) -> list[float]:
    """Return, in order, how many seconds the messages of a part of the run took, after the agents have ended."""
    took = [
        seconds
        for agent in agents
        for sent, seconds in ARRIVAL.iter_unpack((agent.directory / "arrivals").read_bytes())
        if since <= sent < until
    ]
    return sorted(took)


def wait(holds: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"it never came about that {what}")
        time.sleep(0.02)


@contextlib.contextmanager
def running(directory: Path, count: int, tick: float) -> Iterator[Load]:
    """Found a network of so many members on a broker, and run it."""
    path = directory / "load.ndksadmin"
    administrator = Administrator(Administration(Network.new("load", cipher="aes"), secrets.token_bytes(32)))
    lanes = [administrator.admit(f"{0xABC000 + number:016X}") for number in range(count)]
    administrator.issue()
    administrator_file.save(administrator.state, path)
    mosquitto = broker.Broker(directory / "broker", "autosave_interval 1800", logs=False)
    mosquitto.start()
    url = f"mqtt://127.0.0.1:{mosquitto.port}/ndks/load"
    agents: list[Agent] = []
    try:
        for lane in lanes:
            agents.append(_started(administrator, lane, directory, url, tick, path if not agents else None))
        load = Load([*agents], mosquitto.pid, path)
        for agent in agents:
            agent.connect()
        wait(lambda: load.have(administrator.state.g << 16), "all enter the first generation")
        yield load
    finally:
        _end([agent.process for agent in agents])
        mosquitto.stop(kill=True)


def _started(
    administrator: Administrator, lane: int, directory: Path, url: str, tick: float, path: Path | None
) -> Agent:
    own = directory / f"lane{lane}"
    own.mkdir()
    joined = administrator.state.member(lane).joined
    keys = administrator.keys.member_key(lane, joined), administrator.keys.public
    process = _FORKS.Process(target=run, args=(Member(lane, joined, *keys, url, own, tick, path),), daemon=True)
    process.start()
    return Agent(lane, process, own, watch(own))


def _end(processes: list[ForkProcess]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(PATIENCE)


@dataclass
class Figures:
    """What was measured; times are of the system's monotonic clock until the agents have ended."""

    agents: int
    start: float  # seconds until all were in the first generation
    spent: dict[str, Spent] = field(default_factory=dict[str, Spent])
    messages: dict[str, int] = field(default_factory=dict[str, int])
    times: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    arrivals: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    reached: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    memory: dict[str, float] = field(default_factory=dict[str, float])  # MB of an agent

    @contextlib.contextmanager
    def part(self, name: str, load: Load) -> Iterator[None]:
        """Measure a part, until all that was sent in it has come."""
        before, sent = load.spent(), load.sent
        yield
        load.wait_until_all_came()
        after = load.spent()
        self.spent[name] = Spent(*(b - a for a, b in zip(before, after, strict=True)))
        self.messages[name] = load.sent - sent
        self.times[name] = before[0], after[0]

    def values(self) -> dict[str, Any]:
        """Return all figures as JSON has them."""
        idle = self.spent["idle"]
        values: dict[str, Any] = {"agents": self.agents, "start_s": self.start}
        values["idle"] = {
            "cpu_s_per_agent_and_hour": 3600 * idle.agents / idle.seconds / self.agents,
            "broker_cpu_s_per_hour": 3600 * idle.broker / idle.seconds,
        }
        values |= {name: self._carried(name) for name in ("steady", "burst")}
        values |= {name: {"half_s": _part(found, 0.5), "all_s": found[-1]} for name, found in self.reached.items()}
        return values | {"mb_per_agent": self.memory}

    def _carried(self, name: str) -> dict[str, float]:
        spent, messages = self.spent[name], self.messages[name]
        deliveries = messages * (self.agents - 1)
        return {
            "messages": messages,
            "messages_per_s": messages / spent.seconds,
            "deliveries_per_s": deliveries / spent.seconds,
            "cpu_ms_per_message": 1000 * spent.agents / messages,
            "cpu_ms_per_delivery": 1000 * spent.agents / deliveries,
            "broker_cpu_ms_per_message": 1000 * spent.broker / messages,
            "median_s": _part(self.arrivals[name], 0.5),
            "99_percent_s": _part(self.arrivals[name], 0.99),
        }


def _part(found: list[float], part: float) -> float:
    return found[min(len(found) - 1, int(part * len(found)))]


def measure(load: Load, start: float, args: argparse.Namespace) -> Figures:
    """Run all parts, and check what came."""
    figures = Figures(len(load.agents), start)
    load.steady(args.rate, 2 * args.tick)  # all know each other
    figures.memory = {"shared_out_at_the_start": load.memory("Pss"), "resident_at_the_start": load.memory("Rss")}
    with figures.part("idle", load):
        time.sleep(args.seconds)
    with figures.part("steady", load):
        load.steady(args.rate, args.seconds)
    with figures.part("burst", load):
        load.burst(args.burst)
    figures.reached["renewal"] = load.reaching(args.rate, load.renew)
    load.wait_until_all_came()
    figures.reached["revocation"] = load.reaching(args.rate, load.revoke)
    load.steady(args.rate, args.seconds / 2)
    load.wait_until_all_came()
    load.check()
    figures.memory |= {"shared_out_at_the_end": load.memory("Pss"), "resident_at_the_end": load.memory("Rss")}
    return figures


def show(values: dict[str, Any]) -> None:
    """Print a table."""
    print(f"{values['agents']} agents, started in {values['start_s']:.0f} s")
    for part in ("idle", "steady", "burst", "renewal", "revocation", "mb_per_agent"):
        for name, value in values[part].items():
            print(f"{part:<14} {name:<28} {value:10.3f}")
    print("all came once and in order; the revoked unit read nothing that was sent after it")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each part")
    parser.add_argument("--rate", type=float, default=2.0, help="messages a second, of all together")
    parser.add_argument("--burst", type=int, default=5, help="messages of each agent, as fast as they go")
    parser.add_argument("--tick", type=float, default=1.0, help="seconds")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ndks-") as name:
        with running(Path(name), args.agents, args.tick) as load:
            figures = measure(load, time.monotonic() - began, args)
        everybody = [*load.agents, *load.revoked]
        figures.arrivals = {part: arrivals(everybody, *times) for part, times in figures.times.items()}
    values = figures.values()
    print(json.dumps(values)) if args.json else show(values)


if __name__ == "__main__":
    main()
