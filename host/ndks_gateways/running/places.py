# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Where an end of a tunnel keeps what it knows, and where its sockets are: one directory for each end.

Both ends of a tunnel may run on one computer, for one user, under the name that both ends use.
"""

import os
import re
import stat
from pathlib import Path

from ndks.carriers.tunnel_sockets import ACCEPT, CARRY, CONTROL, ENDS, LISTEN, OWN, at_home, found, sockets
from ndks.exceptions import NdksError, UsageError
from ndks.line.services import SOCKETS, is_served
from ndks.paths import make_private_directory

__all__ = ["ACCEPT", "CARRY", "CONTROL", "ENDS", "KEYS", "LISTEN"]

KEYS = "keys.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LONGEST = 100  # bytes of a socket's path, on all systems
_FOR_GROUP = stat.S_IRGRP | stat.S_IXGRP


class NotRunning(NdksError):
    """No tunnel of this name runs for this user."""

    code = "NOT_RUNNING"
    exit_status = 3


def directory_of(name: str, end: str) -> Path:
    """Return NDKS_HOME/tunnels/NAME/END, which need not exist. UsageError: nothing can have this name; FileError."""
    if not _NAME.fullmatch(name):
        what = f"{name!a} cannot be the name of a tunnel"
        raise UsageError(what, "use 1 to 64 letters, digits, hyphens, dots, underscores; begin with a letter or digit")
    return at_home() / name / end


def names() -> list[str]:
    """Return the names of this user's tunnels, those that run and those that have run. FileError."""
    return sorted({path.parents[1].name for kind in (KEYS, CONTROL) for path in found(f"*/*/{kind}")})


def ends_of(name: str) -> list[str]:
    """Return which ends of a tunnel run for this user, or have run. UsageError, FileError."""
    return [end for end in ENDS if (directory_of(name, end) / KEYS).exists() or _socket(name, end)]


def new_sockets(name: str, end: str) -> Path:
    """Return the directory for the sockets of an end, and make it. OSError; UsageError: its path is too long.

    A group that may enter the directory of the tunnel, which systemd has made, may enter this one.
    """
    kept, own = directory_of(name, end), os.environ.get(SOCKETS)
    directory = Path(own, OWN, name, end) if own else kept
    make_private_directory(directory)
    if own:
        directory.chmod(stat.S_IRWXU | directory.parent.stat().st_mode & _FOR_GROUP)
    if len(os.fsencode(directory / CONTROL)) > _LONGEST:
        advice = f"set {SOCKETS} to a short directory of this user, or take a shorter name"
        raise UsageError(f"{directory} is too long for sockets", advice)
    return directory


def socket_of(name: str, end: str) -> Path:
    """Return the socket of commands of an end that runs. NotRunning; UsageError, FileError."""
    directory_of(name, end)  # an impossible name is reported as such
    if path := _socket(name, end):
        return path
    raise not_running(name)


def _socket(name: str, end: str) -> Path | None:
    return next(filter(is_served, sockets(CONTROL, name, [end])), None)


def not_running(name: str) -> NotRunning:
    """Return the error of a tunnel that does not run here."""
    known = ", ".join(names())
    others = f"; tunnels of this user: {known}" if known else ""
    return NotRunning(f"no tunnel {name} runs for this user", f"start it: see ndks tunnel --help{others}")
