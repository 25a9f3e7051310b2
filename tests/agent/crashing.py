# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Kills what sites run, at random moments under load, and compares what was sent with what came."""

import contextlib
import random
import time
from collections.abc import Sequence

from support.broker import Broker

from .account import Comparison, compare
from .site import PATIENCE, Site, wait_until

_LONGEST_PAUSE = 0.5  # seconds before a kill, and before what was killed starts again
_LONGEST_WAIT = 2.0  # seconds for a message
_MOMENT = 0.03  # seconds in which an agent takes a message, and what follows
_START = 1.5  # seconds in which an agent that starts is killed once more
_AFTER = 30  # ticks in which something could still come twice


class Crashing:
    """A network; of `kills`, `amid` are agents that were taking a message, `starting` those that had taken none yet."""

    def __init__(self, sites: Sequence[Site], chance: random.Random) -> None:
        self.sites = sites
        self.kills = self.amid = self.starting = 0
        self._random = chance

    def crash(self, what: str, broker: Broker | None = None, *, waits: bool = True) -> None:
        """Kill something at a random moment, and start it again.

        Every other time, wait until all go on, unless not to wait at all. So other kills meet agents that still start,
        or still catch up.
        """
        self._pause()
        chosen = self._random.sample(self.sites, self._random.choice((1, 1, 1, 2)))
        if what == "broker":
            self._crash_broker(broker)
        elif what == "agent":
            self._crash_agents(chosen)
        else:
            for site in chosen:
                self._crash_site(site, what)
        if waits and self._random.random() < 0.5:
            self.all_go_on()

    def all_go_on(self) -> None:
        """Wait until each site has received something that was sent from now on, from each other site."""
        counts = {site.lane: site.accepted() for site in self.sites}

        def has_all(site: Site) -> bool:
            texts = {each.text for each in site.received()}
            others = [other for other in self.sites if other is not site]
            return all(texts & other.accepted_since(counts[other.lane]) for other in others)

        try:
            wait_until(lambda: all(map(has_all, self.sites)), "all go on")
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *(site.described() for site in self.sites)])) from None

    def compared(self, patience: float = PATIENCE) -> Comparison:
        """Stop the senders, wait until all messages have come, or for so long, and compare both ends."""
        for site in self.sites:
            site.kill("send")
        wait_until(lambda: all(site.status() for site in self.sites), "all agents run")
        with contextlib.suppress(AssertionError):
            wait_until(lambda: not self.so_far().lost and self._all_taken(), "all messages come", patience)
        time.sleep(_AFTER * self.sites[0].settings.tick)
        comparison = self.so_far()
        comparison.strange += self._agents_findings()
        return comparison

    def _crash_broker(self, broker: Broker | None) -> None:
        assert broker, "there is no broker"
        broker.stop(kill=True)
        self._pause()
        broker.start()
        self.kills += 1

    def _crash_agents(self, chosen: Sequence[Site]) -> None:
        for site in chosen:
            self._kill_agent(site)
        self._pause()
        for site in chosen:
            site.start_agent()
        if self._random.random() < 0.25:
            time.sleep(self._random.uniform(0, _START))
            self._kill_agent(chosen[0])
            chosen[0].start_agent()

    def _kill_agent(self, site: Site) -> None:
        """Kill an agent; every other time while, or just after, it takes a message."""
        if self._random.random() < 0.5:
            end = time.monotonic() + _LONGEST_WAIT
            while not (site.is_sending() and site.works) and time.monotonic() < end:
                time.sleep(0.001)
            time.sleep(self._random.uniform(0, _MOMENT))
        works = site.works
        site.kill("agent")
        self.kills += 1
        self.starting += not works
        self.amid += works and site.is_sending()

    def _crash_site(self, site: Site, what: str) -> None:
        self.kills += 1
        if what == "service":
            site.kill_service()
            self._pause()
            site.start_service()
        elif what == "cable":
            site.pull_cable()
            self._pause()
            site.plug_cable()
        elif what == "disk":
            site.fill_disk()
            self._pause()
            site.free_disk()
        else:
            site.kill(what)
            site.start_program(what)

    def _pause(self) -> None:
        time.sleep(self._random.uniform(0, _LONGEST_PAUSE))

    def so_far(self) -> Comparison:
        """Compare both ends now: what is on its way seems to be lost."""
        sent = {site.lane: site.sent() for site in self.sites}
        return compare(sent, {site.lane: site.received() for site in self.sites})

    def _all_taken(self) -> bool:
        """Whether programs have confirmed all that came."""
        return all(status and not status["arrivals"] for status in (site.status() for site in self.sites))

    def _agents_findings(self) -> list[str]:
        """Compare the agents' own accounts of what came with what was sent."""
        findings: list[str] = []
        for site in self.sites:
            status = site.status()
            assert status
            senders = {each["lane"]: each for each in status["senders"]}
            for other in self.sites:
                sent = other.sent()
                if other is site or sent.last == sent.before:
                    continue
                found = senders.get(other.lane, {})
                if found.get("delivered") != [[sent.before + 1, sent.last]] or found.get("lost"):
                    findings.append(f"the agent of {site.lane} says of {other.lane}: {found}")
            if status["arrivals"]:
                findings.append(f"{status['arrivals']} messages were not received at {site.lane}")
        return findings
