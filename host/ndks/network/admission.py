# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Changes of a network file, by one process at a time: a unit is admitted, its binding noted, the network replaced."""

import itertools
import os
import shlex
from dataclasses import replace
from pathlib import Path

from ndks_protocol import errors

from ..exceptions import DeviceError, UsageError
from ..files import read_small
from ..whole_file import write_private
from .join_package import JoinPackage, check_public_key, seal_membership
from .join_request import JoinRequest
from .locked_file import locked_file
from .network_file import Network


def admit_unit(path: Path, serial_number: str, label: str) -> tuple[Network, int]:
    """Take the next lane of a network for a unit, write the network file, and return the network and the lane."""
    with locked_file(path) as locked:
        network, lane = Network.load(locked).admit(serial_number, label)
        network.save(locked, overwrite=True)
        return network, lane


def admit_by_request(path: Path | str, request: JoinRequest, label: str = "", *, again: bool = False) -> JoinPackage:
    """Take the next lane of a network for the unit of a request, write the network file, and return the package.

    `label` replaces that of the request. `again` admits a unit that has a lane already, on a new one. Compare the words
    of the request first: whoever made it can read what the package brings. CheckFailed: it is for another network;
    AuthenticationError PUBLIC_KEY; DeviceError PROVISIONED: the unit has a lane already; FileError, NetworkFileError.
    """
    with locked_file(Path(path)) as locked:
        network = Network.load(locked)
        refuse_request(network, request, again=again)
        network, lane = network.admit(request.serial_number, label or request.label)
        network.save(locked, overwrite=True)
    return seal_membership(request, network, lane)


def refuse_request(network: Network, request: JoinRequest, *, again: bool) -> None:
    """Raise the error with which `admit_by_request` would refuse a request."""
    check_public_key(request.public_key)
    request.check_network(network.name)
    known = next((member for member in network.members if member.serial_number == request.serial_number), None)
    if known and not again:
        what = f"unit {known.serial_number} is a member of network {network.name} already, on lane {known.lane}"
        advice = "if it was erased since, or its package was lost, repeat with --again: it gets a new lane"
        raise DeviceError(errors.PROVISIONED, what, advice)


def replace_network(path: Path, network: Network) -> Path | None:
    """Write another network to an existing file. If the former one has units, keep it and return its new path."""
    with locked_file(path) as locked:
        kept = _keep(locked) if network.units_in(locked) else None
        network.save(locked, overwrite=True)
    return path.with_name(kept.name) if kept and not path.is_symlink() else kept


def _keep(path: Path) -> Path:
    """Copy a network file to the first free name of .old, .old2 and so on. FileError, OSError."""
    names = (path.with_name(f"{path.name}.old{number if number > 1 else ''}") for number in itertools.count(1))
    kept = next(name for name in names if not os.path.lexists(name))
    write_private(kept, read_small(path), overwrite=False, beside=path)
    return kept


def note_binding(path: Path, lane: int, binding_id: str) -> None:
    """Write the binding id of the unit on a lane to the network file. FileError, UsageError."""
    with locked_file(path) as locked:
        network = Network.load(locked)
        member = network.member(lane)
        if member is None:
            raise UsageError(
                f"no unit of {path} has lane {lane}", f"see all units: ndks network show {shlex.quote(str(path))}"
            )
        others = (replace(other, binding_id=binding_id) if other is member else other for other in network.members)
        replace(network, members=tuple(others)).save(locked, overwrite=True)
