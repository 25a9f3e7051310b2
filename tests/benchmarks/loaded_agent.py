# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""One of the agents of `agent_load`, in a process of its own, with a program that receives what comes.

`agent_load` forks it: all share what they import.
"""

import base64
import contextlib
import logging
import mmap
import os
import signal
import struct
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from support.network_unit import NetworkUnit

from ndks.agent.running.client import AgentClient
from ndks.agent.running.loop import Loop
from ndks.agent.running.office import Office
from ndks.agent.running.programs import Programs, listening
from ndks.agent.store import Store
from ndks.carriers.mqtt import MqttCarrier
from ndks.driver.network_verbs import Opened
from ndks.exceptions import NoUnit

TEXT = struct.Struct(">Qd")  # a message: its number, and when it was sent, in seconds of the system's monotonic clock
ARRIVAL = struct.Struct("=dd")  # in the file `arrivals`: when a message was sent, and how many seconds it took


@dataclass(frozen=True)
class Member:
    """What an agent has to know."""

    lane: int
    generation: int
    key: bytes
    public: bytes
    url: str
    directory: Path
    tick: float  # seconds
    administrator: Path | None  # the file; who has it leads


class Seen(IntEnum):
    """What an agent tells the benchmark while it runs. Each is written by one thread."""

    DELIVERED = 0
    WRONG = 1  # came twice, late, or out of order
    LOST = 2
    NEWEST = 3  # when the newest message that was read was sent
    EPOCH = 4  # 0: none yet, else one more than it is
    REACHED = 5  # when that epoch was reached


def watch(directory: Path) -> Any:
    """Return what `Seen` names, as numbers in memory that the agent and the benchmark map."""
    with (directory / "seen").open("a+b") as file:
        file.truncate(8 * len(Seen))
        return memoryview(mmap.mmap(file.fileno(), 8 * len(Seen))).cast("d")


class _WatchedUnit(NetworkUnit):
    """A unit that notes when it reaches an epoch."""

    seen: Any

    def notice(self, g: int, capsule: bytes) -> int:
        return self._noted(super().notice(g, capsule))

    def renew(self) -> int:
        return self._noted(super().renew())

    def control(self, capsule: bytes) -> int:
        return self._noted(super().control(capsule))

    def open(self, capsule: bytes, *, vouched: bool = False) -> Opened:
        return self._noted(super().open(capsule, vouched=vouched))

    def _noted(self, answer: Any) -> Any:
        epoch = (self.epoch or 0) + 1
        if epoch != self.seen[Seen.EPOCH]:
            self.seen[Seen.REACHED] = time.monotonic()
            self.seen[Seen.EPOCH] = epoch
        return answer


def run(member: Member) -> None:
    """Run an agent until it is terminated, or the process that has forked it is gone."""
    directory = member.directory
    logging.basicConfig(filename=directory / "log")
    seen = watch(directory)
    unit = _WatchedUnit(member.lane, member.generation, member.key, seed=member.lane)
    unit.seen = seen

    @contextlib.contextmanager
    def open_unit() -> Generator[NetworkUnit]:
        yield unit

    store = Store(directory / "store.sqlite")
    carrier = MqttCarrier(member.url, f"{member.lane:016x}")
    office = Office(member.administrator) if member.administrator else None
    loop = Loop(store, open_unit, [carrier], member.public, member.tick, office)
    signal.signal(signal.SIGTERM, lambda *_: loop.inputs.end())
    threading.Thread(target=_stay_with, args=(os.getppid(), loop), daemon=True).start()
    if office:
        threading.Thread(target=_lead, args=(unit,), daemon=True).start()
    with listening(directory / "socket") as listener:
        Programs(listener, loop.inputs).start()
        threading.Thread(target=_receive, args=(directory, seen), daemon=True).start()
        loop.run()
    store.close()


def _stay_with(parent: int, loop: Loop) -> None:
    while os.getppid() == parent:
        time.sleep(5)
    loop.inputs.end()


def _lead(unit: NetworkUnit) -> None:
    while not unit.generations:
        time.sleep(0.1)
    unit.lead()


def _receive(directory: Path, seen: Any) -> None:
    """Receive for ever, as `ndks receive --follow` does; note numbers that are not the next ones."""
    last: dict[int, int] = {}
    with (
        contextlib.suppress(NoUnit),
        AgentClient(directory / "socket") as client,
        (directory / "arrivals").open("ab", buffering=0) as arrivals,
    ):
        for event in client.events(follow=True):
            if event["kind"] == "lost":
                seen[Seen.LOST] += event["last"] - event["first"] + 1
                continue
            now, lane = time.monotonic(), event["lane"]
            number, sent = TEXT.unpack_from(base64.b64decode(event["data"]))
            is_right = number == last.get(lane, 0) + 1 and event["kind"] == "message"
            last[lane] = number
            seen[Seen.WRONG] += not is_right
            seen[Seen.NEWEST] = max(seen[Seen.NEWEST], sent)
            seen[Seen.DELIVERED] += 1
            arrivals.write(ARRIVAL.pack(sent, now - sent))
