# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Opening of a side's unit; for a port `pty:DIR`, the process runs `ndks emulate DIR --pty` itself."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Generator

import ndks

from .sides import Side

PTY = "pty:"


@contextlib.contextmanager
def open_unit(side: Side) -> Generator[ndks.Unit]:
    """Open a side's unit; an emulated unit runs during the block only."""
    with plugged_in(side) as (port, _), ndks.open(port) as unit:
        yield unit


@contextlib.contextmanager
def plugged_in(side: Side) -> Generator[tuple[str, Callable[[], None]]]:
    """Yield the port of a side's unit and a function that pulls its cable, which has an effect only for `pty:`."""
    if not side.port.startswith(PTY):
        yield side.port, lambda: None
        return
    command = [sys.executable, "-m", "ndks", "emulate", side.port.removeprefix(PTY), "--pty"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as unit:
        assert unit.stdout
        try:
            yield unit.stdout.readline().strip(), unit.kill
        finally:
            unit.kill()
