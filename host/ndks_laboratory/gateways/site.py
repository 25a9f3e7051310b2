# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A site: a gateway with a unit and its service, and the programs of users, all in one network namespace."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ndks.exceptions import CheckFailed
from ndks_laboratory.networks.laptop import Laptop


class Site(Laptop):
    """`prefix` is the command that runs a program in the site's namespace."""

    def __init__(self, name: str, directory: Path, prefix: Sequence[str] = ()) -> None:
        super().__init__(name, directory)
        self._prefix = prefix

    def join(self, network: Path) -> None:
        """Make the unit a member of the network of a file, and serve it."""
        self.plug_in()
        self.serial_number = self.type("provision", network, "--bind", "--unit", self.port)["serial_number"]
        self.serve()

    def run_tunnel(self, name: str, *addresses: object) -> None:
        """Run one end of a tunnel; return once it listens."""
        words = "tunnel", "run", name, *addresses, "--unit", self.serial_number
        self.run(f"tunnel {name}", "-m", "ndks", *words)

    def tunnel(self, name: str) -> dict[str, Any]:
        """Return what `ndks tunnel status` reports."""
        return self.type("tunnel", "status", name)["tunnels"][0]

    def run(self, name: str, *words: object, cwd: Path | None = None) -> "subprocess.Popen[str]":
        """Start a Python program that keeps running, and wait for the line with which it says that it is ready."""
        with (self.directory / "log.txt").open("a") as log:
            process = self._processes[name] = subprocess.Popen(
                [*self._prefix, sys.executable, "-u", *map(str, words)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self.environment,
                cwd=cwd or self.directory,
                text=True,
            )
        assert process.stdout
        if not process.stdout.readline():
            raise CheckFailed(f"{self.name}: {name} does not start", f"read {self.directory / 'log.txt'}")
        return process
