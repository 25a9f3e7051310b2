# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""`ndks emulate` in a separate process, for the tests of the emulator and the host."""

import contextlib
import functools
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .forks import ndks_process

PATIENCE = 20.0  # seconds; far longer than any test takes on a busy machine


@dataclass
class EmulateProcess:
    """A running `ndks emulate`; `announced` is the first line of its stdout."""

    process: subprocess.Popen[str]
    announced: str

    @property
    def port(self) -> str:
        return self.announced.strip()

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def emulated(directory: Path, *options: str) -> contextlib.AbstractContextManager[EmulateProcess]:
    """Run `ndks emulate`."""
    return running(functools.partial(ndks_process, "emulate", directory, *options))


@contextlib.contextmanager
def running(start: "Callable[..., subprocess.Popen[str]]") -> Iterator[EmulateProcess]:
    """Start a process that prints its port; it is always killed at the end."""
    allow_interrupts()
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with start(text=True, **pipes) as process:
        try:
            yield EmulateProcess(process, _first_line(process))
        finally:
            process.kill()
            process.wait(PATIENCE)


def allow_interrupts() -> None:
    """Restore SIGINT: a shell ignores it for background jobs, and children would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def wait_until(holds: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Wait for a condition that another process or thread causes, for so many seconds at most."""
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.002)


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    readable, _, _ = select.select([process.stdout], [], [], PATIENCE)
    assert readable, "ndks emulate says nothing"
    return process.stdout.readline()
