# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A network of emulated units, services and agents in processes of their own, any of which may be killed.

Each program that sends or receives writes down what it did before it goes on, as one does that must not lose anything.
"""

import base64
import contextlib
import json
import os
import random
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support.emulate_process import emulated
from support.serve_process import ServeProcess, served

import ndks
from ndks.agent.running.client import AgentClient
from ndks.agent.running.membership import Membership
from ndks.exceptions import NdksError
from ndks.network import administrator_file
from ndks.network.administration import Administration
from ndks.network.administrator import Administrator
from ndks.network.bundle import Bundle
from ndks.network.member_package import seal_member
from ndks.network.network_file import Network

PATIENCE = 120.0  # seconds
TICK = 0.1
_TESTS = Path(__file__).parents[1]
_PROGRAM = f"""
import sys
sys.path[:0] = [{str(_TESTS)!r}, {str(_TESTS / "checks")!r}]
from agent import crashing
getattr(crashing, sys.argv[1])(*sys.argv[2:])
"""


def send(socket: str, record: str, lane: str) -> None:
    """Send messages for ever, and write each down when the agent has it."""
    number = len(Path(record).read_text().split("\n")) if Path(record).exists() else 1
    with Path(record).open("a") as written:
        while True:
            try:
                with AgentClient(Path(socket)) as agent:
                    while True:
                        text = f"{lane}:{number}:{secrets.token_hex(4)}"
                        number += 1
                        print("?" + text, file=written, flush=True)
                        agent.send(text.encode())
                        print("!" + text, file=written, flush=True)
                        time.sleep(0.2)
            except NdksError:
                time.sleep(0.1)


def receive(socket: str, record: str) -> None:
    """Receive messages for ever, and write each down before it is confirmed."""
    with Path(record).open("a+") as written:
        written.seek(0)
        known = [line.split(" ")[:2] for line in written.read().split("\n")[:-1]][-1:]
        while True:
            try:
                with AgentClient(Path(socket)) as agent:
                    for event in agent.events(follow=True):
                        where = [str(event["lane"]), str(event.get("s") or event.get("first"))]
                        text = base64.b64decode(event["data"]).decode() if "data" in event else "lost"
                        if [where] != known:
                            print(*where, event["kind"], text, file=written, flush=True)
                        known = [where]
            except NdksError:
                time.sleep(0.1)


@dataclass
class Site:
    """A unit with its service, its agent, and the programs that use it."""

    serial_number: str
    lane: int
    port: str
    directory: Path
    urls: Sequence[str]
    network: Path | None
    service: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict[str, subprocess.Popen[str]])
    socket: str = ""

    def record(self, what: str) -> Path:
        return self.directory / what

    def start(self) -> None:
        self.directory.mkdir()
        self.serve()
        self.start_agent()
        for what in ("send", "receive"):
            self.record(what).touch()
            self.start_program(what)

    def serve(self) -> ServeProcess:
        return self.service.enter_context(served(self.port))

    def start_agent(self) -> None:
        carriers = [word for url in self.urls for word in ("--carrier", url)]
        office = ["--network", str(self.network)] if self.network else []
        command = [
            "-m",
            "ndks",
            "agent",
            "--json",
            "--unit",
            self.serial_number,
            "--tick",
            str(TICK),
            *office,
            *carriers,
        ]
        with self.record("log").open("a") as log:
            process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, stderr=log, text=True)
        self.processes["agent"] = process
        assert process.stdout
        line = process.stdout.readline()
        assert line, self.record("log").read_text()
        self.socket = json.loads(line)["socket"]

    def start_program(self, what: str) -> None:
        lane = [str(self.lane)] if what == "send" else []
        command = [sys.executable, "-c", _PROGRAM, what, self.socket, str(self.record(what)), *lane]
        self.processes[what] = subprocess.Popen(command, text=True)

    def kill(self, what: str) -> None:
        process = self.processes.pop(what)
        process.kill()
        process.wait(PATIENCE)
        if process.stdout:
            process.stdout.close()

    def end(self) -> None:
        for what in list(self.processes):
            self.kill(what)
        self.service.close()

    def accepted(self) -> list[str]:
        return [line[1:] for line in self._lines("send") if line.startswith("!")]

    def offered(self) -> list[str]:
        """The messages that may be accepted: the agent was killed before it answered."""
        return [line[1:] for line in self._lines("send") if line.startswith("?")]

    def received(self) -> list[list[str]]:
        return [line.split(" ") for line in self._lines("receive")]

    def _lines(self, what: str) -> list[str]:
        return self.record(what).read_text().split("\n")[:-1]


class Sites:
    """All sites, and what may be killed."""

    def __init__(self, sites: list[Site], seed: int = 1) -> None:
        self.sites = sites
        self.random = random.Random(seed)

    def crash(self, what: str) -> None:
        """Kill a process of a site at a random moment, and start it again; wait until all go on."""
        site = self.random.choice(self.sites)
        time.sleep(self.random.uniform(0, 0.4))
        if what == "service":
            site.service.close()
            site.serve()
        elif what == "agent":
            site.kill("agent")
            time.sleep(self.random.uniform(0, 0.3))
            site.start_agent()
        else:
            site.kill(what)
            site.start_program(what)
        self.all_go_on()

    def all_go_on(self) -> None:
        """Wait until each site has received something that was sent from now on, from each other site."""
        newest = {site.lane: len(site.accepted()) for site in self.sites}

        def has_all(site: Site) -> bool:
            texts = {line[3] for line in site.received()}
            others = [other for other in self.sites if other is not site]
            return all(texts & set(other.accepted()[newest[other.lane] :]) for other in others)

        wait_until(lambda: all(map(has_all, self.sites)), "all go on")

    def check(self) -> dict[str, int]:
        """Stop the senders; check that all came, in order, and nothing twice; return how much there was."""
        for site in self.sites:
            site.kill("send")
        wait_until(self._have_all, "all messages arrive")
        for site in self.sites:
            lines = site.received()
            assert not [line for line in lines if line[2] != "message"], lines
            for other in self.sites:
                if other is not site:
                    texts = [line[3] for line in lines if line[0] == str(other.lane)]
                    assert not [text for text, count in Counter(texts).items() if count > 1]
                    places = {text: place for place, text in enumerate(other.offered())}
                    assert [places[text] for text in texts] == sorted(places[text] for text in texts)
        return {"sent": sum(len(site.accepted()) for site in self.sites), "sites": len(self.sites)}

    def _have_all(self) -> bool:
        return all(
            set(other.accepted()) <= {line[3] for line in site.received()}
            for site in self.sites
            for other in self.sites
            if other is not site
        )


def wait_until(holds: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"it never came about that {what}"
        time.sleep(0.05)


@contextlib.contextmanager
def founded(directory: Path, urls: Sequence[Sequence[str]], cipher: str = "aes") -> Iterator[Sites]:
    """Found a network with a site for each list of carriers, in one generation, and run it."""
    path = directory / "office.ndksadmin"
    administrator = Administrator(Administration(Network.new("office", cipher=cipher), secrets.token_bytes(32)))
    with contextlib.ExitStack() as stack:
        ports = [
            stack.enter_context(emulated(directory / f"unit{n}", "--link", f"{directory}/port{n}")).port
            for n in range(len(urls))
        ]
        members = [(port, *_admitted(administrator, port)) for port in ports]
        bundle = administrator.issue()
        administrator_file.save(administrator.state, path)
        sites: list[Site] = []
        for number, (port, request, lane) in enumerate(members):
            _enrol(administrator, port, request, lane, bundle)
            network = path if number == 0 else None
            site = Site(request.serial_number, lane, port, directory / f"site{number}", urls[number], network)
            stack.callback(site.end)
            site.start()
            sites.append(site)
        yield Sites(sites)


def _admitted(administrator: Administrator, port: str) -> tuple[ndks.JoinRequest, int]:
    with ndks.open(port) as unit:
        request = unit.join_request(network="office")
    return request, administrator.admit(request.serial_number)


def _enrol(administrator: Administrator, port: str, request: ndks.JoinRequest, lane: int, bundle: Bundle) -> None:
    package = seal_member(administrator, request, lane, bundle)
    with ndks.open(port) as unit:
        unit.enrol(package)
        unit.unlock()
        (notice, *_) = bundle.notices_for(unit.hint(bundle.g))
        unit.notice(bundle.g, notice)
    Membership("office", package.tick, administrator.keys.public).save(request.serial_number)


@contextlib.contextmanager
def lossy(count: int, loss: float, seed: int = 1) -> Iterator[list[list[str]]]:
    """Carry datagrams between `count` agents, and lose some; yield the carriers of each."""
    chance = random.Random(seed)
    with contextlib.ExitStack() as stack:
        hubs = [stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(count)]
        own = [stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(count)]
        for each in (*hubs, *own):
            each.bind(("127.0.0.1", 0))
        ports = [each.getsockname()[1] for each in own]
        for each in own:
            each.close()
        is_ended = threading.Event()

        def carry(number: int) -> None:
            hubs[number].settimeout(0.2)
            while not is_ended.is_set():
                with contextlib.suppress(OSError):
                    packet = hubs[number].recv(1 << 16)
                    for other, port in enumerate(ports):
                        if other != number and chance.random() >= loss:
                            hubs[number].sendto(packet, ("127.0.0.1", port))

        threads = [threading.Thread(target=carry, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        try:
            yield [
                [f"udp://127.0.0.1:{port}?peer=127.0.0.1:{hub.getsockname()[1]}"]
                for port, hub in zip(ports, hubs, strict=True)
            ]
        finally:
            is_ended.set()
            for thread in threads:
                thread.join()


def environment(directory: Path) -> dict[str, str]:
    """Return what keeps the homes and sockets of a test apart."""
    return {"NDKS_HOME": str(directory / "home"), "XDG_RUNTIME_DIR": str(directory)} | {"PATH": os.environ["PATH"]}
