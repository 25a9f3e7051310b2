# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Where the sockets of services are: DIRECTORY/UID/SCOPE, with the uid of the unit in 16 hex digits."""

import os
import re
import socket
from collections.abc import Iterable
from pathlib import Path

from .transport import SERVICE

SOCKETS = "XDG_RUNTIME_DIR"  # names the directory of this user's sockets
SYSTEM = Path("/run/ndks")  # of services for all users of this computer
SCOPES = ("admin", "keys", "gate", "agent")
_FOR_COMMANDS = ("admin", "keys", "gate")  # in this order: the first that this user may use
_UID = re.compile("[0-9A-F]{16}")


def directories() -> list[Path]:
    """Return where services put their sockets: this user's first."""
    own = os.environ.get(SOCKETS)
    return [*([Path(own, "ndks")] if own else []), SYSTEM]


def service_directories() -> list[Path]:
    """Return the directories of sockets that exist, one for each unit."""
    found: list[Path] = []
    for directory in directories():
        try:
            found += sorted(path for path in directory.iterdir() if _UID.fullmatch(path.name))
        except OSError:
            continue  # there is none, or it is another user's
    return found


def may_use(path: Path) -> bool:
    """Return whether this user may connect to a socket that exists."""
    return os.access(path, os.R_OK | os.W_OK)


def served(paths: Iterable[Path]) -> list[Path]:
    """Return the sockets among these; of several, those on which a process listens: a killed one leaves its file.

    A single one is not tried, because that would take a client's place for a moment.
    """
    found = [path for path in paths if _is_socket(path)]
    return found if len(found) < 2 else [path for path in found if is_served(path)]


def _is_socket(path: Path) -> bool:
    try:
        return path.is_socket()
    except OSError:
        return False  # in another user's directory


def is_served(path: Path) -> bool:
    """Return whether a socket is there and a process listens on it: one that was killed has left its file.

    A socket that this user may not use, or that takes no connection now, counts.
    """
    if not _is_socket(path):
        return False
    with socket.socket(socket.AF_UNIX) as connection:
        connection.setblocking(False)
        try:
            connection.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True
    return True


def socket_in(directory: Path) -> str:
    """Return the port of the first socket in a directory that this user may use, or ""."""
    usable = [directory / scope for scope in _FOR_COMMANDS if may_use(directory / scope)]
    return f"{SERVICE}{usable[0]}" if usable else ""


def socket_of(serial_number: str) -> str:
    """Return the port of a service for a unit, at the first socket that this user may use, or ""."""
    for directory in service_directories():
        if directory.name == serial_number.upper() and (found := socket_in(directory)):
            return found
    return ""
