# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Membership of two units in the test network, and networks with one changed decimal."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from ndks.driver.unit import Unit
from ndks.network.network_file import Network

from .sides import Side

ALTERED_PLACE = 5  # the paper's own example: p1 = 0.52 and 0.52001


@dataclass(frozen=True)
class NewMember:
    """A member, bound to the laptop of its side."""

    serial_number: str
    lane: int
    binding_id: str


def admit(unit: Unit, network: Network, name: str, *, alter: bool = False) -> tuple[Network, NewMember]:
    """Provision and bind a unit; return the network with it. `alter` changes one decimal of p1 in the unit's copy."""
    network, lane = network.admit(unit.hello.serial_number, name)
    binding = unit.bind(unit.provision(altered(network) if alter else network, lane))
    return network, NewMember(unit.hello.serial_number, lane, binding.binding_id)


def introduce(
    sides: Sequence[Side], members: Sequence[NewMember], opened: Callable[[Side], AbstractContextManager[Unit]]
) -> None:
    """Tell each unit the binding ids of the others."""
    for side, own in zip(sides, members, strict=True):
        with opened(side) as unit:
            for other in members:
                if other is not own:
                    unit.trust(other.lane, other.binding_id)


def altered(network: Network) -> Network:
    """Return the network with one decimal of p1 changed."""
    return change_digit(network, "p1", ALTERED_PLACE, 1)


def change_digit(network: Network, name: str, place: int, by: int) -> Network:
    """Return the network with one decimal of p1 or p2 (`name`) changed; the first decimal is place 1.

    UsageError if the parameter becomes 0.
    """
    whole, _, decimals = str(getattr(network, name)).partition(".")
    decimals = decimals.ljust(place, "0")
    digit = (int(decimals[place - 1]) + by) % 10
    return replace(network, **{name: f"{whole}.{decimals[: place - 1]}{digit}{decimals[place:]}"})
