# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The story: a network of three is founded; masters fall; one is stolen and revoked; the channel is cut for a week."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

from ndks.carriers.packet_file import packed
from ndks.exceptions import CheckFailed, NdksError
from ndks_laboratory import times
from ndks_laboratory.outcome import Check, Outcome

from .laptop import Laptop, wait_until
from .scene import Scene

_WEEK = 168  # ticks: a week, where a network's tick is an hour
_DAYS = 7
_OPERATORS = {"digits": 4, "f1": "hyperbolic", "f2": "cosine_square"}


class Story:
    """The story's steps, each of which returns whether what its name says holds."""

    def __init__(self, scene: Scene, tell: Callable[[str], object]) -> None:
        self._scene = scene
        self._tell = tell

    def run(self) -> list[Check]:
        """Tell the story; after a step that failed, the rest is not shown."""
        checks: list[Check] = []
        failed = False
        try:
            for name, step in self._steps():
                began = time.monotonic()
                outcome = Outcome.not_shown("a step before it failed") if failed else _outcome(step)
                failed = failed or outcome.in_json is not True
                checks.append(Check(name, outcome))
                self._tell(f"{self._scene.channel.name:<5}{time.monotonic() - began:4.1f} s  {checks[-1].line()}")
        finally:
            for laptop in self._scene.all:
                laptop.kill()
        return checks

    def _steps(self) -> Sequence[tuple[str, Callable[[], bool]]]:
        return (
            ("three units found a network, each with the authority's signature", self._found),
            ("a message of each reaches all others", self._scene.talk),
            ("the master is killed: another leads, and messages go on", self._kill),
            ("the master's case is opened: it is erased, another leads", self._open_case),
            ("the master is stolen: another leads", self._steal),
            ("a fourth joins, not without the authority's signature", self._join),
            ("the stolen unit is revoked: the others begin a new generation", self._revoke),
            ("with its laptop and a recording of everything it reads nothing new", self._listen),
            ("keys and parameters p1 and p2 are renewed, at both the same", self._renew),
            ("operators are renewed: d = 4, f1 hyperbolic, f2 cosine_square", self._refresh),
            ("the channel is cut for a week of hours: each side goes on alone", self._cut),
            ("then every message has come, once and in order", self._arrive),
            ("then one master leads, in one epoch", self._heal),
            ("meanwhile the thief heard nothing, and nobody took what it sent", self._ignore),
        )

    def _found(self) -> bool:
        self._scene.desk.found()
        self._scene.members = [self._scene.alice, self._scene.bob, self._scene.carol]
        with ThreadPoolExecutor() as pool:
            list(pool.map(Laptop.plug_in, self._scene.members))
            list(pool.map(self._scene.desk.admit, self._scene.members))
            list(pool.map(self._scene.start, self._scene.members))
        return self._scene.wait_for_one_master() > 0

    def _kill(self) -> bool:
        lane = self._scene.wait_for_one_master()
        (master,) = [laptop for laptop in self._scene.members if laptop.lane == lane]
        master.kill("receiver", "agent")
        self._scene.wait_for_one_master(but=master)
        self._scene.run_agent(master)
        return self._scene.talk()

    def _open_case(self) -> bool:
        self._scene.let_lead(self._scene.carol)
        self._scene.carol.open_case()
        wait_until(lambda: not self._scene.carol.status()["unit"]["present"], "its agent has noticed")
        self._scene.members.remove(self._scene.carol)
        self._scene.wait_for_one_master()
        self._scene.change("retire", "carol")
        self._scene.carol.kill("receiver", "agent", "service")
        return self._scene.carol.info(self._scene.carol.port)["state"] == "tampered"

    def _steal(self) -> bool:
        self._scene.let_lead(self._scene.bob)
        self._scene.bob.kill()
        self._scene.members.remove(self._scene.bob)
        return self._scene.wait_for_one_master() == self._scene.alice.lane

    def _join(self) -> bool:
        self._scene.dave.plug_in()
        needed = self._scene.desk.admit(self._scene.dave, tries_without=True)
        self._scene.start(self._scene.dave)
        self._scene.members.append(self._scene.dave)
        self._scene.wait_for_one_master()
        self._scene.turn_over()  # whoever comes later gets nothing from before
        return self._scene.talk() and needed

    def _revoke(self) -> bool:
        self._scene.turn_over()
        self._scene.change("revoke", "bob")
        return self._scene.talk()

    def _listen(self) -> bool:
        """The thief tries by himself, and then as a member would: with service and agent."""
        recording = self._scene.directory / "recording"
        recording.write_bytes(packed(self._scene.channel.recording()))
        self._scene.bob.plug_in()
        command = [sys.executable, "-m", "ndks_laboratory.networks.thief", str(self._scene.bob.port), str(recording)]
        finished = subprocess.run(
            command, env=self._scene.bob.environment, capture_output=True, timeout=times.NETWORK, check=False
        )
        if finished.returncode:
            raise CheckFailed(f"the thief fails: {finished.stderr.decode(errors='replace').strip()}")
        texts = set(json.loads(finished.stdout)["texts"])
        self._scene.start(self._scene.bob)
        self._scene.bob.send("forged")
        return not texts & self._scene.sent() and bool(texts & self._scene.before)

    def _renew(self) -> bool:
        before = self._scene.network_ids()
        wait_until(lambda: self._renewed(self._scene.alice), "the pause between two renewals is over")
        self._scene.wait_for_one_master()
        after = self._scene.network_ids()
        return len(before) == len(after) == 1 and before != after

    def _renewed(self, laptop: Laptop) -> bool:
        return not laptop.refusal("network", "renew", "--yes", "--unit", laptop.serial_number)

    def _refresh(self) -> bool:
        self._scene.change("refresh", "-d", _OPERATORS["digits"], "--f1", _OPERATORS["f1"], "--f2", _OPERATORS["f2"])
        shown = [laptop.info(laptop.serial_number) for laptop in self._scene.members]
        return all(_OPERATORS.items() <= each.items() for each in shown) and self._scene.talk()

    def _cut(self) -> bool:
        self._scene.channel.cut()
        end = time.monotonic() + _WEEK * self._scene.channel.tick
        for day in range(1, _DAYS + 1):
            for laptop in self._scene.members:
                laptop.send(f"{laptop.name} on day {day}")
        wait_until(lambda: all(laptop.place[2] == laptop.lane for laptop in self._scene.members), "each leads itself")
        wait_until(lambda: all(map(self._renewed, self._scene.members)), "both sides renew")
        apart = not self._scene.have_all()
        time.sleep(max(0.0, end - time.monotonic()))
        self._scene.channel.heal()
        return apart

    def _arrive(self) -> bool:
        wait_until(self._scene.have_all, "all messages have come")
        return all(
            laptop.received(sender.lane)[-len(sender.sent) :] == sender.sent
            and len(set(laptop.received(sender.lane))) == len(laptop.received(sender.lane))
            for laptop, sender in permutations(self._scene.members, 2)
        )

    def _heal(self) -> bool:
        return bool(self._scene.wait_for_one_master())

    def _ignore(self) -> bool:
        taken = [
            text
            for laptop in self._scene.members
            for text in laptop.received(self._scene.bob.lane)
            if text in self._scene.bob.sent
        ]
        heard = {text for laptop in self._scene.members for text in self._scene.bob.received(laptop.lane)}
        return not taken and not heard & self._scene.sent()


def _outcome(step: Callable[[], bool]) -> Outcome:
    try:
        return Outcome.of(step())
    except NdksError as error:
        return Outcome.failed(str(error))
    except (OSError, subprocess.TimeoutExpired) as error:
        return Outcome.failed(str(error))
