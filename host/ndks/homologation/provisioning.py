# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two blank units, made members of a network of the laboratory's own, and blank again at the end."""

import contextlib
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import ndks
from ndks.answers import BLANK
from ndks.exceptions import NdksError, UsageError
from ndks.network import Network

from .sides import Side

ALTERED_PLACE = 5  # the paper's own example: 0.52 and 0.52001


@dataclass(frozen=True)
class UnitUnderTest:
    """One of the two units under test."""

    label: str
    port: str
    serial_number: str
    firmware: str
    protocol: str
    lane: int = 0


def greet(sides: Sequence[Side]) -> list[UnitUnderTest]:
    """Return who the units are. UsageError unless they are two, and blank."""
    units: list[UnitUnderTest] = []
    for side in sides:
        with ndks.open(side.port, create=True, bindings=side.bindings) as unit:
            if unit.hello.state != BLANK:
                raise UsageError(
                    f"the unit at {side.port} is {unit.hello.state}: only blank units are tested",
                    f"erase it, if nobody needs it: ndks zeroize --unit {side.port}",
                )
            hello = unit.hello
            protocol = f"{hello.major}.{hello.minor}"
            units.append(UnitUnderTest(side.name, side.port, hello.serial_number, hello.firmware, protocol))
    if len({unit.serial_number for unit in units}) < len(units):
        raise UsageError("both ports lead to the same unit", "name two units")
    return units


def change_digit(network: Network, name: str, place: int, by: int) -> Network:
    """Return the network with one decimal of p1 or p2 (`name`) changed, the first one being place 1."""
    whole, _, decimals = str(getattr(network, name)).partition(".")
    decimals = decimals.ljust(place, "0")
    digit = (int(decimals[place - 1]) + by) % 10
    return replace(network, **{name: f"{whole}.{decimals[: place - 1]}{digit}{decimals[place:]}"})


def keys_with_changed_decimal(sides: Sequence[Side], network: Network, bits: int) -> tuple[bytes, bytes]:
    """Return key 1 of both units, one of them with a changed p1; both are blank again then."""
    first, other = (_key_of(side, own, bits) for side, own in zip(sides, (network, _altered(network)), strict=True))
    return first, other


def provision(sides: Sequence[Side], network: Network, *, alter_second: bool = False) -> list[int]:
    """Make both units members, each bound to its side's laptop and trusting the other's; return their lanes."""
    lanes: list[int] = []
    binding_ids: list[str] = []
    for number, side in enumerate(sides):
        own = _altered(network) if alter_second and number else network
        with ndks.open(side.port, bindings=side.bindings) as unit:
            network, lane = network.admit(unit.hello.serial_number, side.name)
            binding_ids.append(unit.bind(unit.provision(own, lane)).binding_id)
            lanes.append(lane)
    for side, lane, binding_id in zip(sides, reversed(lanes), reversed(binding_ids), strict=True):
        with ndks.open(side.port, bindings=side.bindings) as unit:
            unit.trust(lane, binding_id)
    return lanes


def erase(sides: Sequence[Side]) -> list[str]:
    """Erase both units and return their states."""
    states: list[str] = []
    for side in sides:
        with ndks.open(side.port, bindings=side.bindings) as unit:
            unit.zeroize()
            states.append(unit.hello.state)
    return states


@contextlib.contextmanager
def members(
    sides: Sequence[Side], network: Network, *, alter_second: bool = False
) -> Generator[tuple[list[int], float]]:
    """Have both units as members; gives their lanes, and how many seconds that took.

    When something fails they are made blank again, if they still answer.
    """
    try:
        start = time.monotonic()
        lanes = provision(sides, network, alter_second=alter_second)
        yield lanes, time.monotonic() - start
    except BaseException:
        with contextlib.suppress(NdksError, OSError):
            erase(sides)
        raise


def _altered(network: Network) -> Network:
    return change_digit(network, "p1", ALTERED_PLACE, 1)


def _key_of(side: Side, network: Network, bits: int) -> bytes:
    with ndks.open(side.port, bindings=side.bindings) as unit:
        unit.bind(unit.provision(network, 1))
        key = unit.key(1, bits).data
        unit.zeroize()
    return key
