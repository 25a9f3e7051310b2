# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Count what a network costs on a channel without loss: messages, bytes, ticks, and the time of the units.

PYTHONPATH=tests python -m benchmarks.network [MEMBERS...]      2, 10, 50, 200 and 1000 unless given

Agents, administrators and units are those of the product, the units in memory, without frames, sessions and paper bits.
Hosts tell units of time every 4 ticks, in a failover every tick. "ticks": until all have it. "ms a capsule": the time
of one unit on this PC for one capsule of the channel, the median.
"""

import resource
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from network.product.product_side import ProductSide
from network.world.world import Node, World

from ndks.network.bundle import Bundle

SIZES = (2, 10, 50, 200, 1000)
SETTLE = 200  # ticks between two measurements
_KINDS = ("beacon", "message", "report", "voucher", "ask", "bundle")


class Row(NamedTuple):
    """What one thing costs."""

    what: str
    ticks: int
    sent: "Counter[str]"  # packets by kind; "ask": of messages and of bundles
    size: int  # bytes of all of them

    def __str__(self) -> str:
        counts = " | ".join(str(self.sent[kind]) for kind in _KINDS)
        return f"{self.what} | {self.ticks} | {counts} | {self.size}"


class Network:
    """A world of so many members, and what is done in it."""

    def __init__(self, members: int) -> None:
        began, before = time.perf_counter(), _memory()
        self.world = World(ProductSide(), members, members, administrators=1, calm=True, monitors=False)
        self.made_in, self.memory = time.perf_counter() - began, _memory() - before
        self.times: list[float] = []
        for node in self.world.nodes.values():
            self._watch(node)

    def _watch(self, node: Node) -> None:
        """Measure what the unit of a node does with each capsule."""
        device = node.machine.device
        for verb in ("open", "control"):
            setattr(device, verb, self._timed(getattr(device, verb)))

    def _timed(self, verb: Callable[..., object]) -> Callable[..., object]:
        def timed(*values: object, **options: object) -> object:
            began = time.perf_counter()
            try:
                return verb(*values, **options)
            finally:
                self.times.append(time.perf_counter() - began)

        return timed

    @property
    def master(self) -> Node:
        return next(node for node in self.world.live() if node.is_master)

    def row(self, what: str, act: Callable[[], object], ticks: int = 0) -> Row:
        """Do something, and wait until all have it, and for so many ticks at least."""
        world = self.world
        before, size, began = Counter(world.published), world.bytes, world.now
        act()
        until = world.now + ticks
        while world.next_at <= until or self._is_behind or world.checks.converged():
            world.run_until(world.next_at)
        row = Row(what, world.now - began, world.published - before, world.bytes - size)
        world.run_until(world.now + SETTLE)
        return row

    @property
    def _is_behind(self) -> bool:
        newest = self.world.offices[0].file.issued[-1].g
        views = [node.machine.view for node in self.world.live()]
        return any(view is None or view.here.g < newest for view in views)

    # What is done

    def renew(self) -> None:
        self.master.run(self.master.machine.renew)

    def speak(self) -> None:
        self.world.send(self.world.live()[0], bytes(100))

    def join(self) -> None:
        office = self.world.offices[0]
        member = office.file.new_member("elected")
        issued = office.issue()
        node = self.world.add_node(member)
        self._watch(node)
        node.run(node.machine.receive, issued.bundle)

    def failover(self) -> Row:
        """Lose the master, with hosts that tell their units of each tick: few of them lead at once."""
        self.world.period = 1
        self.world.run_until(self.world.now + 8)
        row = self.row("failover", lambda: self.world.erase(self.master))
        self.world.period = 4
        return row

    def revoke(self) -> None:
        gone = next(node for node in self.world.live() if not node.is_master)
        self.world.steal(gone)
        gone.up_at = 1 << 40
        self.world.offices[0].file.revoke(gone.lane)
        self.world.offices[0].issue()

    def refresh(self) -> None:
        self.world.offices[0].issue()


def rows_of(network: Network) -> list[Row]:
    return [
        network.row("first generation", lambda: None),
        network.row("1000 quiet ticks", lambda: None, 1000),
        network.row("renewal", network.renew),
        network.row("message of 100 bytes", network.speak),
        network.row("join", network.join),
        network.row("refresh", network.refresh),
        network.failover(),
        *([network.row("revocation", network.revoke)] if len(network.world.live()) > 2 else []),
    ]


def _memory() -> float:
    """Return the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(sizes: list[int]) -> None:
    print("| members | what | ticks | beacons | messages | reports | vouchers | asks | bundles | bytes |")
    print("|" + " --- |" * 10)
    footers: list[str] = []
    for size in sizes:
        network, began = Network(size), time.perf_counter()
        for row in rows_of(network):
            print(f"| {size} | {row} |", flush=True)
        took, median = time.perf_counter() - began, statistics.median(network.times) * 1e3
        made = f"units and agents made in {network.made_in:.1f} s, {network.memory:.0f} MiB"
        opened = f"{len(network.times)} capsules opened, {median:.2f} ms a capsule"
        footers.append(f"{size} members: {made}; rows in {took:.0f} s, process {_memory():.0f} MiB; {opened}")
    print("\n".join(footers))


if __name__ == "__main__":
    Bundle.parse = lru_cache(64)(Bundle.parse)  # each agent has its own on its own host; here they share it
    main([int(size) for size in sys.argv[1:]] or list(SIZES))
