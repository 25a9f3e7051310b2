# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Where a tunnel keeps what it knows, and where its sockets are: one directory a tunnel."""

import contextlib
import os
import re
from pathlib import Path

from ndks.exceptions import NdksError, UsageError
from ndks.laptop.homes import home
from ndks.line.services import SOCKETS
from ndks.paths import make_private_directory

KEYS = "keys.json"
CONTROL, CARRY = "socket", "carry"  # of commands; of agents' packets (carrier tunnel:NAME)
_TUNNELS = "tunnels"
_IN_RUNTIME_DIRECTORY = "ndks-tunnels"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LONGEST = 100  # bytes of a socket's path, on all systems


class NotRunning(NdksError):
    """No tunnel of this name runs for this user."""

    code = "NOT_RUNNING"
    exit_status = 3


def directory_of(name: str) -> Path:
    """Return NDKS_HOME/tunnels/NAME, which need not exist. UsageError: nothing can have this name; FileError."""
    if not _NAME.fullmatch(name):
        what = f"{name!a} cannot be the name of a tunnel"
        raise UsageError(what, "take 1 to 64 letters, digits, hyphens, dots and underscores; the first is no mark")
    return home() / _TUNNELS / name


def names() -> list[str]:
    """Return the names of this user's tunnels, those that run and those that have. FileError."""
    return sorted({path.parent.name for path in _found(KEYS)} | {path.parent.name for path in _found(CONTROL)})


def new_sockets(name: str) -> Path:
    """Return the directory for the sockets of a tunnel, and make it. OSError; UsageError: its path is too long."""
    directory = _socket_directory(name)
    make_private_directory(directory)
    if len(os.fsencode(directory / CONTROL)) > _LONGEST:
        raise UsageError(f"{directory} is too long for sockets", f"set {SOCKETS} to a short directory of this user")
    return directory


def socket_of(name: str, kind: str = CONTROL) -> Path:
    """Return a socket of a tunnel that runs. NotRunning: it does not; UsageError, FileError."""
    places = (_socket_directory(name), directory_of(name))
    found = next((place / kind for place in places if (place / kind).is_socket()), None)
    if not found:
        raise not_running(name)
    return found


def not_running(name: str) -> NotRunning:
    """Return the error of a tunnel that does not run here."""
    known = ", ".join(names())
    others = f"; tunnels of this user: {known}" if known else ""
    return NotRunning(f"no tunnel {name} runs for this user", f"start it: see ndks tunnel --help{others}")


def _socket_directory(name: str) -> Path:
    usual, own = directory_of(name), os.environ.get(SOCKETS)
    return Path(own, _IN_RUNTIME_DIRECTORY, name) if own else usual


def _found(kind: str) -> list[Path]:
    own = os.environ.get(SOCKETS)
    parents = [*([Path(own, _IN_RUNTIME_DIRECTORY)] if own else []), home() / _TUNNELS]
    found: list[Path] = []
    for parent in parents:
        with contextlib.suppress(OSError):
            found += parent.glob(f"*/{kind}")
    return found
