# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Files that open messages without a unit: a network file, or an administrator's file, which has all generations."""

import contextlib
from pathlib import Path

from . import administrator_file
from .administration import Administration
from .joining_file import content_of
from .network_file import Network

Known = Network | Administration

_BEGINNING = 100  # bytes


def load(path: Path) -> Known:
    """Read a file of either kind, or a pipe. FileError, NetworkFileError."""
    if path.exists() and not path.is_file() and not path.is_dir():
        content = content_of(path, administrator_file.LARGEST)  # a pipe can be read only once
        kind = administrator_file if begins_as_administrators(path, content) else Network
        return kind.parsed(path, content)
    return administrator_file.load(path) if is_administrators(path) else Network.load(path)


def is_administrators(path: Path) -> bool:
    """Return whether a file is an administrator's, by its content or its name, even if damaged; a pipe: by its name."""
    beginning = b""
    with contextlib.suppress(OSError):
        if path.is_file():
            with path.open("rb") as file:
                beginning = file.read(_BEGINNING)
    return begins_as_administrators(path, beginning)


def begins_as_administrators(path: Path, content: bytes) -> bool:
    """Return whether the content of a file begins like an administrator's, or only its name is known and says so."""
    beginning = content[:_BEGINNING]
    is_named = path.suffix == administrator_file.SUFFIX and b'"ndks_network"' not in beginning
    return is_named or f'"{administrator_file.MARK}"'.encode() in beginning


def network_of(known: Known) -> Network:
    """Return the network, with the fields of its generation 0."""
    return known if isinstance(known, Network) else known.network


def unit_on(known: Known, lane: int) -> tuple[str, str] | None:
    """Return the label and the serial number of the unit on a lane."""
    if isinstance(known, Network):
        member = known.member(lane)
        return (member.label, member.serial_number) if member else None
    admitted = known.find(lane)
    return (admitted.admission.label, admitted.serial_number) if admitted else None
