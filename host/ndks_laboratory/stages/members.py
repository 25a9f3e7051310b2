# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""How two units become members of the laboratory's network, and how its parameters are altered by one decimal."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from ndks.driver.unit import Unit
from ndks.network.network_file import Network

from .sides import Side

ALTERED_PLACE = 5  # the paper's own example: p1 = 0.52 and 0.52001


@dataclass(frozen=True)
class NewMember:
    """A unit as a member, bound to its side's laptop."""

    serial_number: str
    lane: int
    binding_id: str


def admit(unit: Unit, network: Network, name: str, *, alter: bool = False) -> tuple[Network, NewMember]:
    """Provision and bind a unit; return the network with it. `alter`: its own copy has another decimal of p1."""
    network, lane = network.admit(unit.hello.serial_number, name)
    binding = unit.bind(unit.provision(altered(network) if alter else network, lane))
    return network, NewMember(unit.hello.serial_number, lane, binding.binding_id)


def introduce(
    sides: Sequence[Side], members: Sequence[NewMember], opened: Callable[[Side], AbstractContextManager[Unit]]
) -> None:
    """Tell each unit which laptops the others are bound to."""
    for side, own in zip(sides, members, strict=True):
        with opened(side) as unit:
            for other in members:
                if other is not own:
                    unit.trust(other.lane, other.binding_id)


def altered(network: Network) -> Network:
    """Return the network with one decimal of p1 changed."""
    return change_digit(network, "p1", ALTERED_PLACE, 1)


def change_digit(network: Network, name: str, place: int, by: int) -> Network:
    """Return the network with one decimal of p1 or p2 (`name`) changed, the first one being place 1.

    UsageError when the parameter becomes 0.
    """
    whole, _, decimals = str(getattr(network, name)).partition(".")
    decimals = decimals.ljust(place, "0")
    digit = (int(decimals[place - 1]) + by) % 10
    return replace(network, **{name: f"{whole}.{decimals[: place - 1]}{digit}{decimals[place:]}"})
