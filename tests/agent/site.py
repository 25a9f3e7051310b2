# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A unit with its service, its agent, and the programs that use it: processes of their own, any of which is killed."""

import contextlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.control import Control
from support.serve_process import served

from ndks.agent.running import places
from ndks.agent.running.client import AgentClient
from ndks.exceptions import NdksError

from . import account, programs
from .programs import ASKED

PATIENCE = 180.0  # seconds
_PAGE = 4096  # bytes of a file that can be written when the disk is full: the store has more
_LINE = 200  # bytes that have two lines of a record
_TESTS = Path(__file__).parents[1]
_AGENT = f"""
import sys
sys.path[:0] = [{str(_TESTS)!r}, {str(_TESTS / "checks")!r}]
from agent import broken
broken.run(sys.argv[1], sys.argv[2:])
"""


@dataclass
class Settings:
    """How sites run; `broken` names what is wrong with their agents (`broken.FAULTS`)."""

    tick: float = 0.1  # seconds
    pause: float = 0.2  # seconds for each message of a site
    rest: float = 5.0  # times as long as a burst of messages took
    has_service: bool = True
    broken: str = ""


@dataclass
class Site:
    serial_number: str
    lane: int
    port: str
    directory: Path
    urls: Sequence[str]
    network: Path | None
    settings: Settings
    control: Control  # of the emulated unit
    before: int = 0  # the agent's count when the first message is sent
    _accepted_before: int = 0  # when the agent started
    _service: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict[str, "subprocess.Popen[str]"])

    def start(self) -> None:
        self.directory.mkdir()
        self.start_service()
        self.start_agent()
        wait_until(lambda: self._count() is not None, "the agent has its unit")
        self.before = self._count() or 0
        for what in ("send", "receive"):
            self._record(what).touch()
            self.start_program(what)

    def start_service(self) -> None:
        if self.settings.has_service:
            self._service.enter_context(served(self.port))

    def kill_service(self) -> None:
        self._service.close()

    def pull_cable(self) -> None:
        """Pull the unit's cable, which cuts its power, too."""
        self.control.do("cable out")

    def plug_cable(self) -> None:
        self.control.do("cable in")

    def fill_disk(self) -> None:
        """Let the agent write to no file any more, as on a disk that is full."""
        self._limit_files(_PAGE)

    def free_disk(self) -> None:
        self._limit_files(resource.RLIM_INFINITY)

    def start_agent(self) -> None:
        """Start the agent, and do not wait for it."""
        self._accepted_before = self.accepted()
        words = ["agent", "--unit", self.serial_number if self.settings.has_service else self.port]
        words += ["--tick", str(self.settings.tick)]
        words += ["--network", str(self.network)] if self.network else []
        words += [word for url in self.urls for word in ("--carrier", url)]
        how = ["-c", _AGENT, self.settings.broken] if self.settings.broken else ["-m", "ndks"]
        with (self.directory / "log").open("a") as log:
            self._processes["agent"] = subprocess.Popen(
                [sys.executable, *how, *words], stdout=subprocess.DEVNULL, stderr=log, text=True
            )

    def start_program(self, what: str) -> None:
        values = (self.lane, self.settings.pause, self.settings.rest) if what == "send" else ()
        self._processes[what] = programs.started(what, self.socket, self._record(what), *values)

    def kill(self, what: str) -> None:
        """Kill the agent or a program. AssertionError: it has ended by itself."""
        process = self._processes.pop(what)
        assert process.poll() is None, f"the {what} had ended: {(self.directory / 'log').read_text()[-2000:]}"
        process.kill()
        process.wait(PATIENCE)

    @property
    def agent_pid(self) -> int:
        return self._processes["agent"].pid

    @property
    def works(self) -> bool:
        """Whether the agent has accepted a message since it started."""
        return self.accepted() > self._accepted_before

    def described(self) -> str:
        """Return how all is, for a run that does not go on."""
        ended = {what: process.poll() for what, process in self._processes.items()}
        log = (self.directory / "log").read_text()[-2000:]
        return f"site {self.lane}: exit statuses {ended}, last sent {self._lines('send')[-1:]}\n{self.status()}\n{log}"

    def is_sending(self) -> bool:
        """Return whether the agent was given a message, and has not answered yet, or has ended."""
        with self._record("send").open("rb") as record:
            record.seek(max(0, record.seek(0, os.SEEK_END) - _LINE))
            lines = record.read().decode().split("\n")
        return len(lines) > 2 and lines[-2].startswith(ASKED)

    def end(self) -> None:
        for what in list(self._processes):
            with contextlib.suppress(AssertionError):
                self.kill(what)
        self.kill_service()

    def status(self) -> dict[str, Any] | None:
        """Return what the agent says of itself, None while it does not run."""
        with contextlib.suppress(NdksError), AgentClient(self.socket) as agent:
            return agent.ask("status")
        return None

    def sent(self) -> account.Sent:
        """Return what was sent until now, by the program's record and by the agent's count."""
        last = self._count()
        return account.parse_sent(self._lines("send"), self.before, self.before if last is None else last)

    def accepted(self) -> int:
        """Return how many messages the agent has accepted."""
        return len(account.parse_sent(self._lines("send"), 0, 0).accepted)

    def accepted_since(self, count: int) -> set[str]:
        return {text for _, text in account.parse_sent(self._lines("send"), 0, 0).accepted[count:]}

    def received(self) -> list[account.Arrival]:
        return account.parse_received(self._lines("receive"))

    @property
    def socket(self) -> Path:
        return places.new_socket(self.serial_number)

    def _limit_files(self, size: int) -> None:
        resource.prlimit(self.agent_pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def _count(self) -> int | None:
        status = self.status()
        return status["outbox"]["last"] if status else None

    def _record(self, what: str) -> Path:
        return self.directory / what

    def _lines(self, what: str) -> list[str]:
        path = self._record(what)
        return path.read_text().split("\n")[:-1] if path.exists() else []  # without one that was cut off


def wait_until(holds: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, f"it never came about that {what}"
        time.sleep(0.05)


@contextlib.contextmanager
def environment(directory: Path) -> Iterator[None]:
    """Keep the homes and sockets of a run apart."""
    own = {"NDKS_HOME": str(directory / "home"), "XDG_RUNTIME_DIR": str(directory)}
    before = {name: os.environ.get(name) for name in own}
    os.environ |= own
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
