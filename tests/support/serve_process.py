# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks service` in a separate process."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ndks.laptop.homes import HOME
from ndks.line.services import SOCKETS

from .emulate_process import PATIENCE, allow_interrupts
from .forks import ndks_process, own_environment


@dataclass
class ServeProcess:
    """A running `ndks service`; `said` is its result."""

    process: subprocess.Popen[str]
    said: dict[str, Any]
    log: Path

    def port(self, scope: str) -> str:
        """Return the port of a scope: unix:PATH."""
        (found,) = [each["port"] for each in self.said["sockets"] if each["scope"] == scope]
        return found

    def path(self, scope: str) -> Path:
        return Path(self.port(scope).removeprefix("unix:"))

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextlib.contextmanager
def served(port: str, *options: str, home: Path | None = None) -> Iterator[ServeProcess]:
    """Run `ndks service` for the unit at a port, with the bindings in `home`; it is always killed at the end."""
    allow_interrupts()
    log = Path(os.environ[SOCKETS], f"service-{os.getpid()}-{abs(hash(port)):x}.log")
    environment = own_environment() | ({HOME: str(home)} if home else {})
    words, streams = ("service", "--json", "--unit", port, *options), {"stdin": subprocess.DEVNULL, "text": True}
    with (
        log.open("a") as errors,
        ndks_process(*words, **streams, stdout=subprocess.PIPE, stderr=errors, env=environment) as process,
    ):
        try:
            assert process.stdout
            line = process.stdout.readline()  # pytest's timeout limits the wait
            assert line, log.read_text()
            yield ServeProcess(process, json.loads(line), log)
        finally:
            process.kill()
            process.wait(PATIENCE)
