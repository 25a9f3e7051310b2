# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Processes of a side, each with a log in its directory and no descriptor but that; some in a cage."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ndks.binding_store import HOME
from ndks.exceptions import CheckFailed

from .plan import TIMEOUT, SideFiles

_CAGES = (["unshare", "--net"], ["unshare", "-r", "--net"])  # root may do the first, most users the second


def find_cage() -> list[str]:
    """Return the command that runs another in a network namespace of its own; empty where none can be had."""
    for cage in _CAGES:
        if shutil.which(cage[0]) and _works([*cage, "true"]):
            return cage
    return []


def start(side: SideFiles, module: str, *arguments: str, cage: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """Start a module of this package, with the side's directory as its first argument."""
    temporary = side.directory / "tmp"
    temporary.mkdir(mode=0o700, exist_ok=True)
    own = {"HOME": str(side.directory), "TMPDIR": str(temporary), HOME: str(side.laptop)}
    environment = {"PATH": os.environ["PATH"], **own}
    with os.fdopen(os.open(side.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
        return subprocess.Popen(
            [*cage, sys.executable, "-m", f"ndks.demo.{module}", str(side.directory), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=side.directory,
            env=environment,
            start_new_session=True,
            umask=0o077,
        )


def wait(processes: Sequence[subprocess.Popen[bytes]]) -> list[int]:
    """Return the exit statuses when all have ended. CheckFailed when that takes too long."""
    try:
        return [process.wait(TIMEOUT) for process in processes]
    except subprocess.TimeoutExpired:
        raise CheckFailed(f"a side did not end within {TIMEOUT:g} s", "repeat on a less busy machine") from None
    finally:
        end(processes)


def end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Kill what still runs: each is a session of its own, and what it left behind goes with it."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def require_success(side: SideFiles, status: int, evidence: Path) -> None:
    """CheckFailed unless a side's process ended well and left its evidence."""
    if status != 0 or not evidence.exists():
        who = side.directory.name
        advice = f"repeat with --directory DIR and read DIR/{who}/{side.log.name}"
        raise CheckFailed(f"{who}'s side ended with status {status}", advice)


def _works(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
