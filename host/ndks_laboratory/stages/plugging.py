# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""How a side's process opens its unit; `pty:DIR` is one that the process runs itself, as `ndks emulate DIR --pty`."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Generator

import ndks

from .sides import Side

PTY = "pty:"


@contextlib.contextmanager
def open_unit(side: Side) -> Generator[ndks.Unit]:
    """Open a side's unit; an emulated one is plugged in first, and unplugged at the end."""
    with plugged_in(side) as (port, _), ndks.open(port) as unit:
        yield unit


@contextlib.contextmanager
def plugged_in(side: Side) -> Generator[tuple[str, Callable[[], None]]]:
    """Yield the port of a side's unit, and what pulls its cable: that does nothing to a unit that was not run here."""
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
