# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Where the ends of tunnels have their sockets: DIRECTORY/NAME/END/SOCKET. Both ends may run on one computer."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from ..laptop.homes import home
from ..line.services import SOCKETS

ENDS = LISTEN, ACCEPT = "listen", "accept"  # A and B, as the options call them
CONTROL, CARRY = "socket", "carry"  # for commands; for agents' packets (carrier tunnel:NAME)
OWN = "ndks-tunnels"  # in the directory of sockets of this user
_TUNNELS = "tunnels"  # in NDKS_HOME
_SYSTEM = Path("/run", OWN)  # of tunnels that systemd started


def at_home() -> Path:
    """Return where this user's tunnels keep what they know, and their sockets if there is no other place. FileError."""
    return home() / _TUNNELS


def parents() -> list[Path]:
    """Return where directories of tunnels may be. FileError."""
    own = os.environ.get(SOCKETS)
    return list(dict.fromkeys([*([Path(own, OWN)] if own else []), at_home(), _SYSTEM]))  # the system's only once


def sockets(kind: str, name: str, ends: Sequence[str] = ENDS) -> list[Path]:
    """Return the sockets of a tunnel's ends, this user's first; whoever made one may have been killed. FileError."""
    paths: list[Path] = []
    for parent in parents():
        with contextlib.suppress(OSError):  # of another user
            paths += [path for end in ends if (path := parent / name / end / kind).is_socket()]
    return paths


def found(pattern: str) -> list[Path]:
    """Return paths in the directories of all tunnels. FileError."""
    paths: list[Path] = []
    for parent in parents():
        with contextlib.suppress(OSError):  # of another user
            paths += parent.glob(pattern)
    return paths
