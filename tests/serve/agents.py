# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A network whose units have agents, which hear each other through a folder; the first has the administrator's file."""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateways.members import Founded, Member, founded
from support.emulate_process import PATIENCE
from support.forks import ndks_process

import ndks
from ndks.agent.running.membership import Membership
from ndks.network import administrator_file

_TICK = "0.1"  # seconds


@dataclass
class Administered:
    network: Founded
    file: Path

    def issue(self) -> int:
        """Let the administrator make the next generation; return it."""
        bundle = self.network.administrator.issue()
        administrator_file.save(self.network.administrator.state, self.file, overwrite=True)
        return bundle.g

    def hears_beacons(self, member: Member) -> bool:
        assert member.service
        with ndks.open(member.service.port("gate")) as unit:
            return unit.watch().beacon_age is not None


@contextlib.contextmanager
def administered(directory: Path, count: int = 2) -> Iterator[Administered]:
    """Found a network of units with agents; all processes end with the block."""
    with founded(directory, count) as network, contextlib.ExitStack() as stack:
        (directory / "shared").mkdir()
        file = directory / "office.ndksadmin"
        administrator_file.save(network.administrator.state, file)
        for number, member in enumerate(network.members):
            Membership("office", 1, network.administrator.keys.public).save(member.serial_number)
            stack.enter_context(_agent(member, directory, ["--network", str(file)] if number == 0 else []))
        yield Administered(network, file)


@contextlib.contextmanager
def _agent(member: Member, directory: Path, options: list[str]) -> Iterator[None]:
    assert member.service
    port = member.service.port("agent")
    words = ["agent", "--unit", port, "--carrier", f"dir:{directory / 'shared'}", "--tick", _TICK, *options]
    with (directory / "agents.log").open("a") as log, ndks_process(*words, stdout=subprocess.PIPE, stderr=log) as agent:
        try:
            assert agent.stdout
            line = agent.stdout.readline()  # pytest's timeout limits the wait
            assert line, (directory / "agents.log").read_text()
            yield
        finally:
            agent.kill()
            agent.wait(PATIENCE)
