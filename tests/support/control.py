# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The other end of `ndks emulate --control`: opens the case of a running unit, cuts its power, drops its line."""

import json
import socket
from pathlib import Path
from typing import Any

from .emulate_process import PATIENCE, wait_until


class ControlRefused(Exception):
    """The unit's process has answered with an error."""


class Control:
    """A method for each command of the socket at `path`; those that begin a new line return its port."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def case_open(self) -> None:
        self._do("case open")

    def case_close(self) -> None:
        self._do("case close")

    def power_off(self) -> None:
        self._do("power off")

    def power_on(self) -> str:
        return self._do("power on")

    def power_cut(self, steps: int) -> None:
        self._do(f"power cut {steps}")

    def cable_out(self) -> None:
        self._do("cable out")

    def cable_in(self) -> str:
        return self._do("cable in")

    def line_drop(self) -> str:
        return self._do("line drop")

    def status(self) -> dict[str, Any]:
        return json.loads(self.ask("status"))

    def help(self) -> dict[str, str]:
        return json.loads(self.ask("help"))

    def wait_for_cut(self) -> None:
        """Wait until a `power_cut` has come, and the unit has ended."""
        wait_until(lambda: self.status()["port"] is None, "the power is cut")

    def ask(self, line: str) -> str:
        """The line that answers a line."""
        with socket.socket(socket.AF_UNIX) as connection, connection.makefile("r") as answers:
            connection.settimeout(PATIENCE)
            connection.connect(str(self._path))
            connection.sendall(f"{line}\n".encode())
            return answers.readline().removesuffix("\n")

    def _do(self, command: str) -> str:
        """What follows `ok` in the answer."""
        answer = self.ask(command)
        if not answer.startswith("ok"):
            raise ControlRefused(answer)
        return answer.removeprefix("ok").strip()
