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
_SOCKETS = "ndks-tunnels"
_SYSTEM = Path("/run", _SOCKETS)  # of tunnels that systemd started
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
    home_of, own = directory_of(name), os.environ.get(SOCKETS)
    directory = Path(own, _SOCKETS, name) if own else home_of
    make_private_directory(directory)
    if len(os.fsencode(directory / CONTROL)) > _LONGEST:
        raise UsageError(f"{directory} is too long for sockets", f"set {SOCKETS} to a short directory of this user")
    return directory


def socket_of(name: str) -> Path:
    """Return the socket of commands of a tunnel that runs. NotRunning; UsageError, FileError."""
    directory_of(name)  # a name that can be none is told as such
    for parent in _parents():
        with contextlib.suppress(OSError):  # of another user
            if (found := parent / name / CONTROL).is_socket():
                return found
    raise not_running(name)


def not_running(name: str) -> NotRunning:
    """Return the error of a tunnel that does not run here."""
    known = ", ".join(names())
    others = f"; tunnels of this user: {known}" if known else ""
    return NotRunning(f"no tunnel {name} runs for this user", f"start it: see ndks tunnel --help{others}")


def _parents() -> list[Path]:
    own = os.environ.get(SOCKETS)
    return [*([Path(own, _SOCKETS)] if own else []), home() / _TUNNELS, _SYSTEM]


def _found(kind: str) -> list[Path]:
    found: list[Path] = []
    for parent in _parents():
        with contextlib.suppress(OSError):
            found += parent.glob(f"*/{kind}")
    return found
