# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Processes of a side, each with a log in its directory and no descriptor but that; some in a cage."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ndks.exceptions import CheckFailed
from ndks_laboratory.stages.cage import end, environment

from .plan import TIMEOUT, SideFiles


def start(side: SideFiles, module: str, *arguments: str, cage: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """Start a module of this package, with the side's directory as its first argument."""
    with os.fdopen(os.open(side.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
        return subprocess.Popen(
            [*cage, sys.executable, "-m", f"ndks_laboratory.demo.{module}", str(side.directory), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=side.directory,
            env=environment(side.directory, side.laptop),
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


def require_success(side: SideFiles, status: int, evidence: Path) -> None:
    """CheckFailed unless a side's process ended well and left its evidence."""
    if status != 0 or not evidence.exists():
        who = side.directory.name
        advice = f"repeat with --directory DIR and read DIR/{who}/{side.log.name}"
        raise CheckFailed(f"{who}'s side ended with status {status}", advice)
