# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Programs that run beside the benchmark, and the CPU that they have taken."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

APPLICATIONS = Path(__file__).with_name("applications.py")
_PATIENCE = 60.0  # seconds
_TICKS = os.sysconf("SC_CLK_TCK")  # a second


@contextlib.contextmanager
def running(command: Sequence[object], log: Path, **environment: str) -> Iterator[int]:
    """Run a program until the end of the block, and yield its process id."""
    with log.open("ab") as output:
        words = list(map(str, command))
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=os.environ | environment
        )
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def application(log: Path, *words: object) -> contextlib.AbstractContextManager[int]:
    return running([sys.executable, APPLICATIONS, *words], log)


def cpu_seconds(processes: Sequence[int]) -> float:
    """Return the CPU that processes have taken, user and system, with all their threads of now and before."""
    taken = 0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        taken += int(fields[11]) + int(fields[12])
    return taken / _TICKS


def wait_for_port(port: int, log: Path) -> None:
    """Wait until a program listens. AssertionError with its log."""
    end = time.monotonic() + _PATIENCE
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        assert time.monotonic() < end, f"nothing listens: {log.read_text(errors='replace')[-2000:]}"
        time.sleep(0.01)
