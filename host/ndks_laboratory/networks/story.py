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
from pathlib import Path

from ndks.carriers.folder import packed
from ndks.exceptions import CheckFailed, NdksError
from ndks_laboratory import times
from ndks_laboratory.outcome import Check, Outcome

from .channels import Channel
from .founding import Desk
from .laptop import Laptop, comes_about, wait_until

_WEEK = 168  # ticks: a week, where a network's tick is an hour
_DAYS = 7
_ATTEMPTS = 5  # to lead
_OPERATORS = {"digits": 4, "f1": "hyperbolic", "f2": "cosine_square"}


class Story:
    """The laptops of Alice, Bob, Carol and Dave. Alice's agent runs with the administrator's file."""

    def __init__(self, directory: Path, channel: Channel, tell: Callable[[str], object]) -> None:
        self._directory = directory
        self._tell = tell
        self._channel = channel
        self._desk = Desk(directory)
        self.alice, self.bob, self.carol, self.dave = (
            Laptop(name, directory / name) for name in ("alice", "bob", "carol", "dave")
        )
        self._members: list[Laptop] = []
        self._rounds = 0
        self._before: set[str] = set()  # what was sent before the page was turned over last

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
                self._tell(f"{self._channel.name:<5}{time.monotonic() - began:4.1f} s  {checks[-1].line()}")
        finally:
            for laptop in (self.alice, self.bob, self.carol, self.dave):
                laptop.kill()
        return checks

    def _steps(self) -> Sequence[tuple[str, Callable[[], bool]]]:
        return (
            ("three units found a network, each with the authority's signature", self._found),
            ("a message of each reaches all others", self._talk),
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
        self._desk.found()
        self._members = [self.alice, self.bob, self.carol]
        with ThreadPoolExecutor() as pool:
            list(pool.map(Laptop.plug_in, self._members))
            needed = list(pool.map(self._desk.admit, self._members))
            list(pool.map(self._start, self._members))
        self._wait_for_one_master()
        return all(needed)

    def _start(self, laptop: Laptop) -> None:
        laptop.serve()
        self._run_agent(laptop)

    def _run_agent(self, laptop: Laptop) -> None:
        office = self._desk.file if laptop is self.alice else None
        laptop.run_agent(self._channel.url(laptop.name), self._channel.tick, office)

    def _talk(self) -> bool:
        self._rounds += 1
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._say, self._members))
        wait_until(self._have_all, "all messages have come")
        return True

    def _say(self, laptop: Laptop) -> None:
        laptop.send(f"{laptop.name} {self._rounds}")

    def _have_all(self) -> bool:
        return all(
            set(sender.sent) <= set(laptop.received(sender.lane)) for laptop, sender in permutations(self._members, 2)
        )

    def _kill(self) -> bool:
        lane = self._wait_for_one_master()
        (master,) = [laptop for laptop in self._members if laptop.lane == lane]
        master.kill("receiver", "agent")
        self._wait_for_one_master(but=master)
        self._run_agent(master)
        return self._talk()

    def _open_case(self) -> bool:
        self._let_lead(self.carol)
        self.carol.open_case()
        wait_until(lambda: not self.carol.status()["unit"]["present"], "its agent has noticed")
        self._members.remove(self.carol)
        self._wait_for_one_master()
        self._change("retire", "carol")
        self.carol.kill("receiver", "agent", "service")
        return self.carol.info(self.carol.port)["state"] == "tampered"

    def _steal(self) -> bool:
        self._let_lead(self.bob)
        self.bob.kill()
        self._members.remove(self.bob)
        return self._wait_for_one_master() == self.alice.lane

    def _join(self) -> bool:
        self.dave.plug_in()
        needed = self._desk.admit(self.dave)
        self._start(self.dave)
        self._members.append(self.dave)
        self._wait_for_one_master()
        self._turn_over()  # who comes later gets nothing of before
        return self._talk() and needed

    def _revoke(self) -> bool:
        self._turn_over()
        self._change("revoke", "bob")
        return self._talk()

    def _listen(self) -> bool:
        """The thief tries by himself, and then as a member would: with service and agent."""
        recording = self._directory / "recording"
        recording.write_bytes(packed(self._channel.recording()))
        self.bob.plug_in()
        command = [sys.executable, "-m", "ndks_laboratory.networks.thief", str(self.bob.port), str(recording)]
        finished = subprocess.run(
            command, env=self.bob.environment, capture_output=True, timeout=times.NETWORK, check=False
        )
        if finished.returncode:
            raise CheckFailed(f"the thief fails: {finished.stderr.decode(errors='replace').strip()}")
        texts = set(json.loads(finished.stdout)["texts"])
        self._start(self.bob)
        self.bob.send("forged")
        return not texts & self._sent() and bool(texts & self._before)

    def _renew(self) -> bool:
        before = self._network_ids()
        wait_until(lambda: self._renewed(self.alice), "the pause between two renewals is over")
        self._wait_for_one_master()
        after = self._network_ids()
        return len(before) == len(after) == 1 and before != after

    def _renewed(self, laptop: Laptop) -> bool:
        return not laptop.refusal("network", "renew", "--yes", "--unit", laptop.serial_number)

    def _refresh(self) -> bool:
        self._change("refresh", "-d", _OPERATORS["digits"], "--f1", _OPERATORS["f1"], "--f2", _OPERATORS["f2"])
        shown = [laptop.info(laptop.serial_number) for laptop in self._members]
        return all(_OPERATORS.items() <= each.items() for each in shown) and self._talk()

    def _cut(self) -> bool:
        self._channel.cut()
        end = time.monotonic() + _WEEK * self._channel.tick
        for day in range(1, _DAYS + 1):
            for laptop in self._members:
                laptop.send(f"{laptop.name} on day {day}")
        wait_until(lambda: all(laptop.place[2] == laptop.lane for laptop in self._members), "each leads itself")
        wait_until(lambda: all(map(self._renewed, self._members)), "both sides renew")
        apart = not self._have_all()
        time.sleep(max(0.0, end - time.monotonic()))
        self._channel.heal()
        return apart

    def _arrive(self) -> bool:
        wait_until(self._have_all, "all messages have come")
        return all(
            laptop.received(sender.lane)[-len(sender.sent) :] == sender.sent
            and len(set(laptop.received(sender.lane))) == len(laptop.received(sender.lane))
            for laptop, sender in permutations(self._members, 2)
        )

    def _heal(self) -> bool:
        return bool(self._wait_for_one_master())

    def _ignore(self) -> bool:
        taken = [text for laptop in self._members for text in laptop.received(self.bob.lane) if text in self.bob.sent]
        heard = {text for laptop in self._members for text in self.bob.received(laptop.lane)}
        return not taken and not heard & self._sent()

    def _sent(self) -> set[str]:
        """Return what members have sent since the page was turned over."""
        return {text for laptop in self._members for text in laptop.sent}

    def _turn_over(self) -> None:
        self._before |= self._sent()
        for laptop in (*self._members, self.bob):
            laptop.sent.clear()

    def _change(self, verb: str, *words: object) -> None:
        """Change the administrator's file, and wait until all members are in the new generation."""
        generation = self._desk.change(verb, *words)
        wait_until(lambda: all(laptop.place[0] == generation for laptop in self._members), "all have followed")

    def _let_lead(self, laptop: Laptop) -> None:
        """A relay leads when it sends, unless it leads already: then another one of higher rank may still be heard."""
        laptop.type("role", "relay", "--yes", "--unit", laptop.serial_number)
        for attempt in range(1, _ATTEMPTS + 1):
            laptop.send(f"{laptop.name} leads {attempt}")
            if comes_about(lambda: self._wait_for_one_master() == laptop.lane, times.NETWORK / _ATTEMPTS):
                return
        raise CheckFailed(f"{laptop.name} does not lead")

    def _wait_for_one_master(self, but: Laptop | None = None) -> int:
        """Wait until all others agree on generation, epoch and a master among them; return its lane."""
        present = [laptop for laptop in self._members if laptop is not but]
        lanes = {laptop.lane for laptop in present}

        def agree() -> bool:
            places = {laptop.place for laptop in present}
            return len(places) == 1 and places.pop()[2] in lanes

        wait_until(agree, "one of them leads")
        return present[0].place[2] or 0

    def _network_ids(self) -> set[str]:
        return {laptop.info(laptop.serial_number)["network_id"] for laptop in self._members}


def _outcome(step: Callable[[], bool]) -> Outcome:
    try:
        return Outcome.of(step())
    except NdksError as error:
        return Outcome.failed(str(error))
    except (OSError, subprocess.TimeoutExpired) as error:
        return Outcome.failed(str(error))
