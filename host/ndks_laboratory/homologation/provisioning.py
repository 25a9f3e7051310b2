# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Two blank units, made members of a network of the laboratory's own, and blank again at the end, whatever happens.

Ports change owners: boards are plugged in anew, pseudo-terminals are given out again. So each time a unit is opened its
serial number is compared, and only what was made a member here is ever erased.
"""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import ndks
from ndks.driver.answers import BLANK, TAMPERED
from ndks.exceptions import CheckFailed, NdksError, UsageError
from ndks.network.network_file import Network
from ndks_laboratory.stages.processes import Side

# The paper's own example: p1 = 0.52 and 0.52001, p2 = 25.
P1, P2 = "0.52", "25"
ALTERED_PLACE = 5


@dataclass(frozen=True)
class UnitUnderTest:
    """One of the two units under test."""

    label: str
    port: str
    serial_number: str
    firmware: str
    protocol: str
    lane: int = 0


class UnitPair:
    """The two units; `warn` is told of one that could not be made blank again."""

    def __init__(self, sides: Sequence[Side], warn: Callable[[str], object]) -> None:
        self.sides = sides
        self.units = [_greet(side) for side in sides]
        self._serial_numbers = {unit.label: unit.serial_number for unit in self.units}
        if len(set(self._serial_numbers.values())) < len(sides):
            raise UsageError("both ports lead to the same unit", "name two units")
        self._members: list[Side] = []
        self._warn = warn

    def keys_with_changed_decimal(self, network: Network, bits: int) -> tuple[bytes, bytes]:
        """Return key 1 of both units with the paper's parameters, of which one unit's p1 is changed.

        The rest is as in the network; both units are blank again then.
        """
        example = replace(network, p1=P1, p2=P2)
        keys: list[bytes] = []
        with self._blank_at_the_end():
            for side, own in zip(self.sides, (example, _altered(example)), strict=True):
                self._provision(side, own, 1)
                with self._open(side) as unit:
                    keys.append(unit.key(1, bits).data)
        return keys[0], keys[1]

    @contextlib.contextmanager
    def members(self, network: Network, *, alter_second: bool = False) -> Generator["PairMembership"]:
        """Make both units members, each bound to its side's laptop and trusting the other's."""
        start = time.monotonic()
        membership = PairMembership()
        with self._blank_at_the_end(membership):
            for number, side in enumerate(self.sides):
                network, lane = network.admit(self.units[number].serial_number, side.name)
                own = _altered(network) if alter_second and number else network
                membership.binding_ids.append(self._provision(side, own, lane))
                membership.lanes.append(lane)
            self._introduce(membership)
            membership.seconds = time.monotonic() - start
            yield membership

    def _provision(self, side: Side, network: Network, lane: int) -> str:
        with self._open(side) as unit:
            unit.check_blank()
            self._members.append(side)
            return unit.bind(unit.provision(network, lane)).binding_id

    def _introduce(self, membership: "PairMembership") -> None:
        others = zip(reversed(membership.lanes), reversed(membership.binding_ids), strict=True)
        for side, (lane, binding_id) in zip(self.sides, others, strict=True):
            with self._open(side) as unit:
                unit.trust(lane, binding_id)

    @contextlib.contextmanager
    def _blank_at_the_end(self, membership: "PairMembership | None" = None) -> Generator[None]:
        try:
            yield
        finally:
            with _uninterrupted():
                states = [self._erase(side) for side in self._members]
            self._members.clear()
            if membership:
                membership.states += states

    def _erase(self, side: Side) -> str:
        try:
            with self._open(side) as unit:
                unit.zeroize()
                return unit.hello.state
        except (NdksError, OSError) as error:
            serial_number = self._serial_numbers[side.name]
            self._warn(
                f"unit {serial_number} could not be made blank again: {error}. "
                f"Do: plug it in; ndks zeroize --unit {side.port}"
            )
            return f"not erased: {getattr(error, 'code', 'FILE')}"

    @contextlib.contextmanager
    def _open(self, side: Side) -> Generator[ndks.Unit]:
        with ndks.open(side.port, bindings=side.bindings) as unit:
            expected = self._serial_numbers[side.name]
            if unit.hello.serial_number != expected:
                raise CheckFailed(
                    f"unit {unit.hello.serial_number} is now at {side.port}, where {expected} was; it is left alone",
                    "plug the units in as they were, and repeat",
                )
            yield unit


class PairMembership:
    """What is known of both units as members; `states` are those at the end, when they were erased."""

    def __init__(self) -> None:
        self.lanes: list[int] = []
        self.binding_ids: list[str] = []
        self.states: list[str] = []
        self.seconds = 0.0


def change_digit(network: Network, name: str, place: int, by: int) -> Network:
    """Return the network with one decimal of p1 or p2 (`name`) changed, the first one being place 1.

    UsageError when the parameter becomes 0.
    """
    whole, _, decimals = str(getattr(network, name)).partition(".")
    decimals = decimals.ljust(place, "0")
    digit = (int(decimals[place - 1]) + by) % 10
    return replace(network, **{name: f"{whole}.{decimals[: place - 1]}{digit}{decimals[place:]}"})


def _greet(side: Side) -> UnitUnderTest:
    """Return who a unit is. UsageError unless it is blank."""
    with ndks.open(side.port, create=True, bindings=side.bindings) as unit:
        hello = unit.hello
        if hello.state == TAMPERED:
            unit.check_blank()  # which says what to do
        if hello.state != BLANK:
            raise UsageError(
                f"the unit at {side.port} is {hello.state}: only blank units are tested",
                f"erase it, if nobody needs it: ndks zeroize --unit {side.port}",
            )
        return UnitUnderTest(side.name, side.port, hello.serial_number, hello.firmware, f"{hello.major}.{hello.minor}")


@contextlib.contextmanager
def _uninterrupted() -> Generator[None]:
    """Let signals wait that ask to end: what is done here takes a moment, and must not be left half done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _altered(network: Network) -> Network:
    return change_digit(network, "p1", ALTERED_PLACE, 1)
