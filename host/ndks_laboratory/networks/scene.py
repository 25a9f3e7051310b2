# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The scene of the story: four laptops, a channel and the administrator's desk, and what all steps have in common."""

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path

from ndks.exceptions import CheckFailed
from ndks_laboratory import times

from .channels import Channel
from .founding import Desk
from .laptop import Laptop, comes_about, wait_until

_ATTEMPTS = 100  # to lead; each takes 2 s at most


class Scene:
    """The laptops of Alice, Bob, Carol and Dave. Alice's agent runs with the administrator's file.

    `members` are those whose units are members and at hand; `before` is what they sent before the last page.
    """

    def __init__(self, directory: Path, channel: Channel) -> None:
        self.directory = directory
        self.channel = channel
        self.desk = Desk(directory)
        self.alice, self.bob, self.carol, self.dave = self.all = tuple(
            Laptop(name, directory / name) for name in ("alice", "bob", "carol", "dave")
        )
        self.members: list[Laptop] = []
        self.before: set[str] = set()
        self._rounds = 0

    def start(self, laptop: Laptop) -> None:
        laptop.serve()
        self.run_agent(laptop)

    def run_agent(self, laptop: Laptop) -> None:
        office = self.desk.file if laptop is self.alice else None
        laptop.run_agent(self.channel.url(laptop.name), self.channel.tick, office)

    def talk(self) -> bool:
        self._rounds += 1
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._say, self.members))
        wait_until(self.have_all, "all messages have come")
        return True

    def _say(self, laptop: Laptop) -> None:
        laptop.send(f"{laptop.name} {self._rounds}")

    def have_all(self) -> bool:
        return all(
            set(sender.sent) <= set(laptop.received(sender.lane)) for laptop, sender in permutations(self.members, 2)
        )

    def sent(self) -> set[str]:
        """Return what members have sent since the page was turned over."""
        return {text for laptop in self.members for text in laptop.sent}

    def turn_over(self) -> None:
        self.before |= self.sent()
        for laptop in (*self.members, self.bob):
            laptop.sent.clear()

    def change(self, verb: str, *words: object) -> None:
        """Change the administrator's file, and wait until all members are in the new generation."""
        generation = self.desk.change(verb, *words)
        wait_until(lambda: all(laptop.place[0] == generation for laptop in self.members), "all have followed")

    def let_lead(self, laptop: Laptop) -> None:
        """Let a relay lead, by sending.

        One that already leads takes no higher term when it sends, and may then hear another of higher rank, whose
        beacon was on its way: it then sends again.
        """
        laptop.type("role", "relay", "--yes", "--unit", laptop.serial_number)
        for attempt in range(1, _ATTEMPTS + 1):
            laptop.send(f"{laptop.name} leads {attempt}")
            if comes_about(lambda: self.wait_for_one_master() == laptop.lane, times.NETWORK / _ATTEMPTS):
                return
        raise CheckFailed(f"{laptop.name} does not lead")

    def wait_for_one_master(self, but: Laptop | None = None) -> int:
        """Wait until all others agree on generation, epoch and a master among them; return its lane."""
        present = [laptop for laptop in self.members if laptop is not but]
        lanes = {laptop.lane for laptop in present}

        def agree() -> bool:
            places = {laptop.place for laptop in present}
            return len(places) == 1 and places.pop()[2] in lanes

        wait_until(agree, "one of them leads")
        return present[0].place[2] or 0

    def network_ids(self) -> set[str]:
        return {laptop.info(laptop.serial_number)["network_id"] for laptop in self.members}
