# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Clients that ask for keys at both sites, whatever is killed meanwhile, and an account of each key.

A master asks a server of its site for keys, and the slaves ask servers of the other site for them, often two at once.
No key may be issued twice, each SAE may get a key once, and it must be the key that the master has.
"""

import contextlib
import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from support.workers import Workers

from ndks_gateways.keys import refusals

from .key_processes import GROUPS, SITES, KeyProcess, ids_of
from .key_servers import Client, Said

CLIENTS = 12
_MOST = 32  # keys of a request
_LATER = 0.05  # seconds after a failure
_TWO = 0.3  # of the requests for keys by id, which go to both servers at once
_TRIES = 200


class Account:
    """What was issued and delivered; `wrong` has what must not be."""

    def __init__(self) -> None:
        self.issued: dict[str, str] = {}  # key, id
        self.delivered = Counter[str]()  # by SAE
        self.said = Counter[str]()  # refusals and failures
        self.lost = 0  # keys whose answer to an SAE did not come
        self.wrong: list[str] = []
        self._ids: set[str] = set()
        self._taken: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def issue(self, keys: Sequence[dict[str, str]]) -> None:
        with self._lock:
            for each in keys:
                if each["key"] in self.issued or each["key_ID"] in self._ids:
                    self.wrong.append(f"issued twice: {each['key_ID']}")
                self.issued[each["key"]] = each["key_ID"]
                self._ids.add(each["key_ID"])

    def deliver(self, sae: str, wanted: Sequence[dict[str, str]], got: Sequence[dict[str, str]]) -> None:
        with self._lock:
            if list(got) != list(wanted):
                self.wrong.append(f"{sae} has got other keys than the master")
            for each in got:
                if (sae, each["key_ID"]) in self._taken:
                    self.wrong.append(f"{sae} has got a key twice: {each['key_ID']}")
                self._taken.add((sae, each["key_ID"]))
            self.delivered[sae] += len(got)

    def note(self, what: str, lost: int = 0) -> None:
        with self._lock:
            self.said[what] += 1
            self.lost += lost

    def refuse(self, what: str) -> None:
        with self._lock:
            self.wrong.append(what)

    @property
    def total(self) -> int:
        return len(self.issued)


class Load(Workers):
    """So many clients as long as the block runs."""

    def __init__(self, servers: Sequence[KeyProcess], clients: int = CLIENTS, seed: int = 1) -> None:
        super().__init__(clients, seed)
        self.account = Account()
        self._servers = {site: [each for each in servers if each.site == site] for site in SITES}

    def goes_on(self, keys: int = 100) -> None:
        """Wait until each site has got so many more keys."""
        self.reach(self.account.total + keys)
        for sae, before in {sae: self.account.delivered[sae] for sae in ("SAE_A", "SAE_B")}.items():
            self.wait_for(lambda sae=sae: self.account.delivered[sae], before + 1, self.account.said)

    def reach(self, keys: int) -> None:
        """Wait until so many keys were issued."""
        self.wait_for(lambda: self.account.total, keys, self.account.said)

    def work(self, number: int, chance: random.Random) -> None:
        with contextlib.closing(_Connections()) as connections:
            while not self.is_ending.is_set():
                try:
                    self._round("AB"[number % 2], chance, connections)
                except Exception as error:
                    self.account.refuse(f"{type(error).__name__}: {error}")
                    raise

    def _round(self, site: str, chance: random.Random, connections: "_Connections") -> None:
        master, other = f"SAE_{site}", "BA"["AB".index(site)]
        slaves = GROUPS[other] if chance.random() < 0.3 else [f"SAE_{other}"]
        body: dict[str, Any] = {"number": chance.randint(1, _MOST), "size": chance.choice((256, 128, 1024))}
        if len(slaves) > 1:
            body["additional_slave_SAE_IDs"] = slaves[1:]
        said = connections.ask(chance.choice(self._servers[site]), master, slaves[0], "enc_keys", body)
        if not said or said.status != 200:
            self._failed(said)
            return
        keys = said.values["keys"]
        self.account.issue(keys)
        for slave in slaves:
            self._fetch(slave, master, keys, chance, connections)

    def _fetch(
        self, slave: str, master: str, keys: list[dict[str, str]], chance: random.Random, connections: "_Connections"
    ) -> None:
        """Ask until the keys came, or were lost: an answer that did not come may have taken them."""
        is_in_doubt = False
        for _ in range(_TRIES):
            servers = chance.sample(self._servers[slave_site(slave)], k=2 if chance.random() < _TWO else 1)
            answers = connections.ask_at_once(servers, slave, master, ids_of(keys))
            given = [said for said in answers if said and said.status == 200]
            for said in given:
                self.account.deliver(slave, keys, said.values["keys"])
            if given:
                return
            for said in answers:
                self._failed(said)
            is_in_doubt |= any(not said or _message(said) == refusals.LEDGER_AWAY for said in answers)
            if any(said and _message(said) == refusals.TAKEN for said in answers):
                self.account.note("lost", len(keys))
                if not is_in_doubt:
                    self.account.refuse(f"{slave} was refused keys that it did not get")
                return
            if wrong := [said for said in answers if said and said.status != 503]:
                self.account.refuse(f"{slave}: {wrong[0]}")
                return
        self.account.refuse(f"{slave} got no keys for a long time")

    def _failed(self, said: Said | None) -> None:
        self.account.note(_message(said) if said else "no answer")
        time.sleep(_LATER)


class _Connections:
    """The kept connections of one client, to each server that it asked."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], Client] = {}

    def ask(self, server: KeyProcess, sae: str, other: str, method: str, body: Any) -> Said | None:
        """Return the answer, None: none came."""
        try:
            if (server.name, sae) not in self._open:
                self._open[server.name, sae] = server.client(sae)
            return self._open[server.name, sae].keys(other, method, body)
        except (OSError, http.client.HTTPException):
            if broken := self._open.pop((server.name, sae), None):
                broken.close()
            return None

    def ask_at_once(self, servers: Sequence[KeyProcess], sae: str, other: str, body: Any) -> list[Said | None]:
        """Ask servers for the same keys; all have the request before the first answers."""
        answers: list[Said | None] = [None] * len(servers)

        def ask(number: int) -> None:
            answers[number] = self.ask(servers[number], sae, other, "dec_keys", body)

        threads = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(1, len(servers))]
        for thread in threads:
            thread.start()
        ask(0)
        for thread in threads:
            thread.join()
        return answers

    def close(self) -> None:
        for each in self._open.values():
            each.close()


def slave_site(sae: str) -> str:
    return next(site for site, values in SITES.items() if sae in values["here"])


def _message(said: Said) -> str:
    return said.reason if said.values else str(said.status)
