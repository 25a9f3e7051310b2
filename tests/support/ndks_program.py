# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""A command of `ndks` that runs in a process of its own until it is ended or killed, and is started again."""

import json
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .emulate_process import PATIENCE, allow_interrupts
from .forks import ndks_process


@dataclass
class NdksProgram:
    process: "subprocess.Popen[str] | None" = field(default=None, init=False)  # while it runs
    said: dict[str, Any] = field(default_factory=dict[str, Any], init=False)  # its result

    log_file: Path = field(init=False)

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def run(self, log: Path, *words: str, env: Mapping[str, str], start: Callable[..., Any] = ndks_process) -> None:
        """Start it, and return when it has said that it runs."""
        allow_interrupts()
        self.log_file = log
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
        with log.open("a") as errors:
            process = self.process = start(*words, "--json", env=env, stderr=errors, text=True, **pipes)
        line = process.stdout.readline()  # pytest's timeout limits the wait
        assert line, self.log
        self.said = json.loads(line)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        assert self.process
        process, self.process = self.process, None
        process.send_signal(number)
        status = process.wait(PATIENCE)
        if process.stdout:
            process.stdout.close()
        return status

    def close(self) -> None:
        if self.process:
            self.end(signal.SIGKILL)
