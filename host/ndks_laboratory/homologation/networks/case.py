# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Cases that can be opened: those of emulated units by their control socket, those of boards by a person."""

import contextlib
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path

from ndks.exceptions import CheckFailed
from ndks.line.transport import EMULATOR
from ndks_laboratory.homologation.plan import UnitPorts
from ndks_laboratory.stages.sides import Side

Ask = Callable[[str], object]  # tells a person what to do, and waits until it is done
_ANSWER = 4096


@dataclass(frozen=True)
class Case:
    """A unit whose case can be opened and closed; `side` has the port at which the unit is meanwhile."""

    side: Side
    open: Callable[[], object]
    close: Callable[[], object]
    flash: tuple[Path, ...] = ()  # where it can be read at any time


def can_be_opened(port: str, units: UnitPorts) -> bool:
    """Return whether the case of the unit at a port can be opened: it is emulated here, or a person does it."""
    return port.startswith(EMULATOR) or units.open_case is not None


@contextlib.contextmanager
def case_of(side: Side, ask: Ask | None) -> Generator[Case]:
    """Yield the case of a unit that nobody has open."""
    if side.port.startswith(EMULATOR):
        with _emulated(side) as case:
            yield case
        return
    assert ask
    where = f"of the unit at {side.port}"
    yield Case(
        side,
        lambda: ask(f"now open the case {where}, while it is plugged in"),
        lambda: ask(f"now close the case {where}"),
    )


@contextlib.contextmanager
def _emulated(side: Side) -> Generator[Case]:
    """Run an emulated unit in a process of its own, which has a control socket."""
    with tempfile.TemporaryDirectory(prefix="ndks-") as name:
        link, control = Path(name, "port"), Path(name, "control")
        words = side.port.removeprefix(EMULATOR), "--link", link, "--control", control, "--json"
        command = [sys.executable, "-m", "ndks", "emulate", *map(str, words)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            assert process.stdout
            if not process.stdout.readline():
                raise CheckFailed("the emulated unit does not start in a process of its own")
            there, flash = replace(side, port=str(link)), (Path(words[0]),)
            yield Case(there, lambda: _tell(control, "case open"), lambda: _tell(control, "case close"), flash)
        finally:
            process.terminate()
            process.communicate()


def _tell(control: Path, command: str) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(control))
        line.sendall(f"{command}\n".encode())
        answer = line.recv(_ANSWER).decode().strip()
    if answer != "ok":
        raise CheckFailed(f"the emulated unit answers {answer!r} to {command}")
