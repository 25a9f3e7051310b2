# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks tunnel` in a separate process, with a home and sockets of its own."""

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.emulate_process import PATIENCE, wait_until
from support.forks import own_environment, run_ndks
from support.ndks_program import NdksProgram
from support.ports import free_port

from ndks.laptop.homes import HOME
from ndks.line.services import SOCKETS

_PAUSE = 0.01  # seconds between two looks at its status


@dataclass
class Gateway(NdksProgram):
    """One end of a tunnel: how it is started, and its process."""

    name: str
    directory: Path  # short: it has sockets
    words: tuple[str, ...]

    @property
    def environment(self) -> dict[str, str]:
        return own_environment() | {HOME: str(self.directory / "home"), SOCKETS: str(self.directory)}

    def start(self) -> None:
        """Start it, and return when its addresses are taken."""
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self.run(self.directory / "log", "tunnel", self.name, *self.words, env=self.environment)

    def ask(self, *words: object) -> "subprocess.CompletedProcess[str]":
        """Run another `ndks tunnel` with its home and sockets."""
        return run_ndks("tunnel", *words, timeout=PATIENCE, env=self.environment)

    def status(self) -> dict[str, Any]:
        """Return its status; {} while it does not answer."""
        finished = self.ask("status", self.name, "--json")
        return json.loads(finished.stdout)["tunnels"][0] if finished.returncode == 0 else {}

    def _asked(self) -> dict[str, Any]:
        """Return its status as `status`, without a process for each look."""
        with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
            connection.settimeout(PATIENCE)
            connection.connect(self.said["socket"])
            connection.sendall(b'{"do": "status"}\n')
            if line := connection.makefile().readline():
                return json.loads(line)
        return {}

    def wait(self, holds: Callable[[dict[str, Any]], object], what: str) -> dict[str, Any]:
        """Return its status as soon as something holds of it."""
        seen: list[dict[str, Any]] = [{}]

        def look() -> bool:
            time.sleep(_PAUSE)
            seen[0] = self._asked()
            return bool(seen[0]) and bool(holds(seen[0]))

        try:
            wait_until(look, what)
        except AssertionError:
            raise AssertionError(f"waited in vain: {what}\n{seen[0]}\n{self.log}") from None
        return seen[0]

    def wait_for_link(self) -> dict[str, Any]:
        return self.wait(lambda values: values["link"], f"{self.name} is linked")


@contextlib.contextmanager
def pair(
    directory: Path, units: tuple[str, str], to: int, *options: str, name: str = "web"
) -> Iterator[tuple[Gateway, Gateway, int]]:
    """Yield both ends of a tunnel to a service at a port, not started, and the port for applications."""
    listen, link = free_port(), free_port()
    ends = ("--listen", f"{listen}", "--connect", f"{link}"), ("--accept", f"{link}", "--to", f"{to}")
    a, b = (
        Gateway(name, directory / side, (*words, "--unit", unit, *options))
        for side, words, unit in zip("ab", ends, units, strict=True)
    )
    try:
        yield a, b, listen
    finally:
        a.close()
        b.close()
