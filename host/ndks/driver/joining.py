# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Result of a unit that joins a network."""

from dataclasses import dataclass, field

from ..exceptions import FileError, NdksError
from ..laptop.bindings import Binding
from ..network.network_file import Network


@dataclass(frozen=True)
class Joined:
    """A unit that has become a member of a network, bound to this laptop or to a transport code of 24 words."""

    serial_number: str
    lane: int
    network: Network
    binding: Binding | None = None
    transport_code: str = field(default="", repr=False)  # "" when the unit is bound to this laptop


def not_noted(joined: Joined, binding_id: str, error: NdksError | OSError) -> FileError:
    """Return the error of a unit that is a member and bound, and whose network file could not be written."""
    what = f"unit {joined.serial_number} is a member, lane {joined.lane}, and bound to this laptop; not noted: {error}"
    return FileError(what, f"ndks trust {joined.lane} {binding_id} --network FILE notes it in the network file")
