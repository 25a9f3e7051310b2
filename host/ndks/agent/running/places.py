# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Where agents keep what they know, and where their sockets are: one directory for each unit."""

import os
from pathlib import Path

from ...exceptions import NoUnit, SeveralUnits, UsageError
from ...laptop.homes import home
from ...line.services import SOCKETS, served

_AGENTS = "agents"
_STORE = "store.sqlite"
_SOCKET = "socket"
_LONGEST = 100  # bytes of a socket's path, on all systems


def directory_of(serial_number: str) -> Path:
    """Return the directory of a unit's agent, which need not exist. FileError."""
    return home() / _AGENTS / serial_number


def store_of(serial_number: str) -> Path:
    return directory_of(serial_number) / _STORE


def package_of(serial_number: str) -> Path:
    """Return where a package lies while the administrator's own unit joins. FileError."""
    return home() / _AGENTS / f"{serial_number}.ndkspackage"


def prepare(serial_number: str) -> Path:
    """Make the directory of a unit's agent, for this user alone, and return it. OSError, FileError."""
    directory = directory_of(serial_number)
    directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # the mode applies to the last one only
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


def new_socket(serial_number: str) -> Path:
    """Return where an agent makes its socket, in a directory that exists. OSError; UsageError: the path is too long."""
    own = os.environ.get(SOCKETS)
    directory = Path(own, "ndks-agents", serial_number) if own else directory_of(serial_number)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / _SOCKET
    if len(os.fsencode(path)) > _LONGEST:
        raise UsageError(f"{path} is too long for a socket", f"set {SOCKETS} to a short directory of this user")
    return path


def socket_of(serial_number: str | None) -> Path:
    """Return the socket of the agent of a unit, or of the only agent. NoUnit, SeveralUnits."""
    sockets = _sockets()
    if serial_number and (named := served(path for path in sockets if path.parent.name == serial_number.upper())):
        return named[0]
    found = {path.parent.name: path for path in reversed(served(sockets))}
    names = ", ".join(sorted(found))
    if not found or serial_number:
        others = f", or name one with --unit: {names}" if found else ""
        which = f"unit {serial_number}" if serial_number else "this user"
        raise NoUnit(f"no agent runs for {which}", f"start one: ndks agent --carrier URL{others}")
    if len(found) > 1:
        raise SeveralUnits("several agents run here", f"name one with --unit: {names}")
    return next(iter(found.values()))


def _sockets() -> list[Path]:
    own = os.environ.get(SOCKETS)
    parents = [*([Path(own, "ndks-agents")] if own else []), home() / _AGENTS]
    return [path for parent in parents if parent.is_dir() for path in sorted(parent.glob(f"*/{_SOCKET}"))]
