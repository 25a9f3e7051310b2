# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Programs of a peer, each in a process group of its own, which is ended with all that it started.

They stay in our session: where the kernel shares the CPU among sessions, one of its own would get more than others.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

LOCAL = "127.0.0.1"
_PATIENCE = 60.0  # seconds
_GRACE = 5.0  # seconds


class NotRun(Exception):
    """Why a peer does not run."""


def needed(checkout: Path, name: str) -> Path:
    """Return the path of a program in a checkout. NotRun if it is not there."""
    path = checkout / name
    if not path.exists():
        raise NotRun(f"it has no {name}")
    return path


def installed(name: str) -> str:
    """Return the path of a program of the system. NotRun if it is not installed."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None:
        raise NotRun(f"{name} is not installed")
    return path


@contextlib.contextmanager
def program(command: Sequence[object], port: int, directory: Path, **environment: object) -> Iterator[int]:
    """Run a program in a directory, without our environment, and yield its process id once it listens. NotRun."""
    if _is_open(port):
        raise NotRun(f"port {port} is taken")
    log = directory / f"{port}.log"
    values = {"PATH": os.environ["PATH"], "HOME": directory, **environment}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(each) for each in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={name: str(value) for name, value in values.items()},
            cwd=directory,
            process_group=0,
        )
    try:
        _wait(process, port, log)
        yield process.pid
    finally:
        _end(process)


def family(process: int) -> list[int]:
    """Return the ids of a process and of all that it started, as far as they run."""
    children: list[int] = []
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # the thread, or the process, has ended meanwhile
            children += map(int, path.read_text().split())
    return [process, *(each for child in children for each in family(child))]


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while not _is_open(port):
        if process.poll() is not None or time.monotonic() > end:
            lines = log.read_text(errors="replace").strip().splitlines()
            raise NotRun(f"it does not start: {lines[-1] if lines else 'it says nothing'}")
        time.sleep(0.02)


def _is_open(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((LOCAL, port), 1.0):
        return True
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Let the program end its workers; then kill what is left of them."""
    running = family(process.pid)
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    for each in running:
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(each) == process.pid:
                os.kill(each, signal.SIGKILL)
    process.wait()
