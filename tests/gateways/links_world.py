# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A world of two gateways whose links fail at random: what comes is compared with what was sent.

Frames carry the history (a process, or what it is after it began again) and the number in it. A history of a receiver
may take those of one history of a sender, from 0 on in order; and no history of a sender is taken by two.
"""

import random
from collections import deque
from itertools import count

from ndks_gateways.tunnel.delivery import Attached, Delivery, DeliveryError, Disagreement
from ndks_gateways.tunnel.frames import DATA, frame, parse

_histories = count(1)


class Process:
    """One end's program between two crashes."""

    def __init__(self, chance: random.Random) -> None:
        self.delivery = Delivery(chance.randbytes)
        self.resets = -1
        self.restart_history()

    def restart_history(self) -> None:
        self.resets += 1
        self.history = next(_histories)
        self.counted = 0
        self.taken_from: int | None = None
        self.taken = 0

    def count(self) -> None:
        self.delivery.count(frame(DATA, 1, self.history.to_bytes(4, "big") + self.counted.to_bytes(4, "big")))
        self.counted += 1

    def begin_again(self) -> None:
        self.delivery.begin_again()
        self.restart_history()


class Link:
    """A TCP connection: `wires[s]` carries what side s has sent; a handshake ends at each side for itself, or never."""

    def __init__(self, processes: list[Process]) -> None:
        self.processes = list(processes)
        self.own = [process.delivery.process for process in processes]
        self.attached: list[Attached | None] = [None, None]
        self.wires = deque[bytes](), deque[bytes]()
        self.closed = [False, False]

    def close(self, side: int, lost: int = 0) -> None:
        """Side closes it, or sees that it is closed; of what it has sent the last frames are lost."""
        self.closed[side] = True
        attached = self.attached[side]
        if attached:
            attached.cut()
        for _ in range(min(lost, len(self.wires[side]))):
            self.wires[side].pop()


class World:
    def __init__(self, seed: int, crashes: bool) -> None:
        self.chance = random.Random(seed)
        self.crashes = crashes
        self.ends = [Process(self.chance), Process(self.chance)]
        self.links: list[Link] = []
        self.takers: dict[int, int] = {}  # history of a sender: the receiver's
        self.disagreements = 0
        self.late = 0  # links that are not the peer's newest

    def run(self, steps: int) -> None:
        """Have so many events: what is likely differs from world to world."""
        likely = {
            self._count: (1, 3, 9),
            self._pump: (3, 9),
            self._deliver: (3, 9),
            self._acknowledge: (1, 3),
            self._connect: (0.3, 1),
            self._attach: (0.1, 1),
            self._cut: (0.1, 0.3, 1),
            self._notice: (1, 3),
            self._crash: (0.05, 0.2) if self.crashes else (0,),
        }
        events = list(likely)
        weights = [self.chance.choice(choice) for choice in likely.values()]
        for event in self.chance.choices(events, weights, k=steps):
            event()
            if self.ends[0].delivery.newest is None and self.chance.random() < 0.2:
                self._connect()
            self.links = [link for link in self.links if link.closed != [True, True]]

    def settle(self) -> None:
        """Cut all links, make one that works, and let all come. Disagreements end with another link."""
        for _ in range(4):
            for link in self.links:
                link.close(0)
                link.close(1)
            disagreements = self.disagreements
            self.links = [Link(self.ends)]
            self._attach_side(self.links[0], 0)
            self._attach_side(self.links[0], 1)
            while self._move(self.links[0]):
                pass
            if self.disagreements == disagreements:
                return
        raise AssertionError("the ends do not agree")

    def _move(self, link: Link) -> bool:
        for end in self.ends:
            end.delivery.acknowledge()
        for side in (0, 1):
            self._pump_side(link, side, 1000)
        wires = [side for side in (0, 1) if link.wires[side]]
        for side in wires:
            while link.wires[side]:
                self._deliver_one(link, side)
        return bool(wires)

    def _count(self) -> None:
        for _ in range(self.chance.randint(1, 4)):
            self.chance.choice(self.ends).count()

    def _pump(self) -> None:
        """The ends send as much as their transports take just now."""
        for link in self.links:
            for side in (0, 1):
                self._pump_side(link, side, self.chance.choice((0, 1, 2, 8)))

    def _pump_side(self, link: Link, side: int, most: int) -> None:
        attached = link.attached[side]
        for _ in range(most):
            if attached is None or link.closed[side] or (content := attached.next()) is None:
                break
            link.wires[side].append(content)

    def _deliver(self) -> None:
        for link in self.links:
            for sender in (0, 1):
                for _ in range(self.chance.choice((0, 1, 3, 20))):
                    self._deliver_one(link, sender)

    def _deliver_one(self, link: Link, sender: int) -> None:
        receiver = 1 - sender
        attached, wire = link.attached[receiver], link.wires[sender]
        if not wire or attached is None or link.closed[receiver]:
            if link.closed[receiver]:
                wire.clear()
            return
        content = parse(wire.popleft())
        try:
            wanted = attached.receive(content)
        except Disagreement:
            self._disagree(link, receiver)
            return
        except DeliveryError as error:
            if "ended late" not in str(error):
                raise
            self.late += 1
            link.close(receiver)
            return
        if wanted:
            self._take(link.processes[receiver], bytes(content.data))

    def _take(self, process: Process, data: bytes) -> None:
        history, number = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:], "big")
        if process.taken_from is None:
            process.taken_from = history
        assert process.taken_from == history
        assert self.takers.setdefault(history, process.history) == process.history
        assert process.taken == number
        process.taken += 1

    def _disagree(self, link: Link, side: int) -> None:
        assert self.crashes, "processes that live never disagree"
        self.disagreements += 1
        process = link.processes[side]
        process.begin_again()
        for other in self.links:
            if other.processes[side] is process:
                other.close(side)

    def _connect(self) -> None:
        """A new link, whose handshake ends at both sides at once, mostly."""
        self.links.append(Link(self.ends))
        for side in (0, 1):
            if self.chance.random() < 0.85:
                self._attach_side(self.links[-1], side)

    def _attach(self) -> None:
        """A handshake ends late at one side, perhaps that of a process that has crashed since."""
        late = [(link, side) for link in self.links for side in (0, 1) if not link.attached[side]]
        if late:
            self._attach_side(*self.chance.choice(late))

    def _attach_side(self, link: Link, side: int) -> None:
        process = link.processes[side]
        if link.attached[side] or link.closed[side]:
            return
        try:
            link.attached[side] = attached = process.delivery.attach(link.own[side], link.own[1 - side])
        except Disagreement:
            self._disagree(link, side)
        except DeliveryError:
            link.close(side)
        else:
            if attached.is_reset:
                assert self.crashes
                process.restart_history()

    def _cut(self) -> None:
        """One side loses a link; what it has sent may still come, or part of it."""
        if self.links:
            link, side = self.chance.choice(self.links[-4:]), self.chance.randrange(2)
            link.close(side, self.chance.choice((0, 0, 1, 3, 1000)))

    def _notice(self) -> None:
        """Whoever reads a link that the other side closed finds that out."""
        for link in self.links:
            for side in (0, 1):
                if link.closed[1 - side] and not link.wires[1 - side] and self.chance.random() < 0.5:
                    link.close(side)

    def _acknowledge(self) -> None:
        self.chance.choice(self.ends).delivery.acknowledge()

    def _crash(self) -> None:
        side = self.chance.randrange(2)
        for link in self.links:
            if link.processes[side] is self.ends[side]:
                link.closed[side] = True
        self.ends[side] = Process(self.chance)
