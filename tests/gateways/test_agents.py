# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Agents whose only channel is a tunnel: messages, generations, and gateways whose units are apart."""

import base64
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.emulate_process import PATIENCE, wait_until
from support.forks import run_ndks
from support.ndks_program import NdksProgram

from ndks.agent.running.membership import Membership
from ndks.laptop.homes import HOME
from ndks.network import administrator_file

from .crashing import Echo, Load, Server
from .gateway_process import Gateway, pair
from .members import Founded, Member, founded

TICK = "0.1"  # seconds


@dataclass
class Site:
    """A gateway, and an agent that uses the tunnel."""

    gateway: Gateway
    member: Member
    file: Path | None  # the administrator's
    agent: NdksProgram = field(default_factory=NdksProgram)

    def start_agent(self, public: bytes) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(HOME, self.gateway.environment[HOME])
            Membership("office", 1, public).save(self.member.serial_number)
        assert self.member.service
        words = ["agent", "--unit", self.member.service.port("agent"), "--carrier", "tunnel:web", "--tick", TICK]
        words += ["--network", str(self.file)] if self.file else []
        self.agent.run(self.gateway.directory / "agent.log", *words, env=self.gateway.environment)

    def run(self, *words: object) -> str:
        finished = run_ndks(*words, timeout=PATIENCE, env=self.gateway.environment)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def is_in(self, generation: int) -> None:
        """Wait until the unit is in a generation, and a link was made in it."""
        self.gateway.wait(lambda values: values["unit"]["generation"] == generation, f"generation {generation}")


@dataclass
class Sites:
    network: Founded
    first: Site  # that of the administrator
    second: Site
    load: Load

    def issue(self) -> int:
        """Make the next generation, as a command of the administrator does; return it."""
        assert self.first.file
        bundle = self.network.administrator.issue()
        administrator_file.save(self.network.administrator.state, self.first.file, overwrite=True)
        return bundle.g


@pytest.fixture(params=["at A", "at B"])
def sites(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sites]:
    """Both sites; the administrator is at the end of the users, or at that of the service."""
    with ExitStack() as stack:
        network = stack.enter_context(founded(tmp_path))
        file = tmp_path / "office.ndksadmin"
        administrator_file.save(network.administrator.state, file)
        short = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ndks-")))
        server = stack.enter_context(Server(("127.0.0.1", 0), Echo))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.shutdown)
        a, b = network.members
        one, other, port = stack.enter_context(pair(short, (a.gate, b.gate), server.port))
        for each in (one, other):
            each.start()
        one.wait_for_link()
        ends = [(one, a), (other, b)]
        if request.param == "at B":
            ends.reverse()
        first, second = Site(*ends[0], file), Site(*ends[1], None)
        for site in (first, second):
            stack.callback(site.agent.close)
            site.start_agent(network.administrator.keys.public)
        load = stack.enter_context(Load(port, workers=2))
        yield Sites(network, first, second, load)


def test_messages_and_generations(sites: Sites) -> None:
    first, second = sites.first, sites.second
    first.run("send", "--text", "see you at noon", "--unit", first.member.serial_number)
    unit = ("--unit", second.member.serial_number)
    message = base64.b64encode(b"see you at noon").decode()
    wait_until(lambda: message in second.run("receive", "--json", *unit), "the message comes")
    sites.load.goes_on()
    for number in range(2):
        sites.network.administrator.admit(f"0000000000ABCDE{number}")
        generation = sites.issue()
        for site in (first, second):
            site.is_in(generation)
        sites.load.goes_on()
    revoked = sites.network.administrator.state.members[-1].lane
    sites.network.administrator.revoke([revoked])
    generation = sites.issue()
    for site in (first, second):
        site.is_in(generation)
    first.gateway.wait(lambda values: values["handshakes"]["full"] > 1, "a link with new keys")
    sites.load.goes_on()
    assert sites.load.account.wrong == []
    assert sites.load.account.reset == 0


def test_a_gateway_that_slept_through_a_revocation(sites: Sites) -> None:
    late, early = sites.second, sites.first
    # An agent that does not lead may be silent.
    early.run("send", "--text", "are you there?", "--unit", early.member.serial_number)
    late.gateway.wait(lambda values: values["carried"]["received"], "it hears the other agent")
    late.gateway.end()
    revoked = sites.network.administrator.admit("0000000000ABCDEF")
    early.is_in(sites.issue())
    sites.network.administrator.revoke([revoked])
    generation = sites.issue()
    early.is_in(generation)
    late.gateway.start()
    late.is_in(generation)
    for site in (late, early):
        site.gateway.wait_for_link()
    sites.load.goes_on()
