# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks emulate --control` in a separate process, and a client of its socket."""

import contextlib
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .emulate_process import PATIENCE, EmulateProcess, emulated, wait_until


class ControlRefused(Exception):
    """The unit's process answered with an error."""


class Control:
    """A client of the control socket at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def status(self) -> dict[str, Any]:
        return json.loads(self.ask("status"))

    def wait_for_cut(self) -> None:
        """Wait until a scheduled power cut has stopped the unit."""
        wait_until(lambda: self.status()["port"] is None, "the power is cut")

    def ask(self, line: str) -> str:
        """Send a line, and return the line of the answer."""
        with socket.socket(socket.AF_UNIX) as connection, connection.makefile("r") as answers:
            connection.settimeout(PATIENCE)
            connection.connect(str(self._path))
            connection.sendall(f"{line}\n".encode())
            return answers.readline().removesuffix("\n")

    def do(self, command: str) -> str:
        """Send a command, and return what follows `ok` in the answer: the port of a new line, or ""."""
        answer = self.ask(command)
        if not answer.startswith("ok"):
            raise ControlRefused(answer)
        return answer.removeprefix("ok").strip()


@dataclass
class Controlled:
    process: EmulateProcess
    control: Control
    socket: Path

    @property
    def port(self) -> str:
        return self.process.port


@contextlib.contextmanager
def controlled(directory: Path, *options: str) -> Iterator[Controlled]:
    path = directory.with_name(f"{directory.name}.ctl")
    with emulated(directory, "--control", str(path), *options) as process:
        yield Controlled(process, Control(path), path)
