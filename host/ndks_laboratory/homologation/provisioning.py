# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""Provisioning of blank units for a test network, and their erasure at the end in any case.

A port may later lead to another unit, after a replugging or on a reused pseudo-terminal. So the serial number is
checked at each opening, and only units provisioned here are erased.
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
from ndks_laboratory.stages.members import NewMember, admit, introduce
from ndks_laboratory.stages.sides import Side

P1, P2 = "0.52", "25"  # the paper's own example


@dataclass(frozen=True)
class UnitUnderTest:
    """One of the units under test."""

    label: str
    port: str
    serial_number: str
    firmware: str
    protocol: str
    lane: int = 0


class UnitGroup:
    """The units; `warn` gets a message for a unit that could not be erased."""

    def __init__(self, sides: Sequence[Side], warn: Callable[[str], object]) -> None:
        self.sides = sides
        self.units = [_greet(side) for side in sides]
        self._serial_numbers = {unit.label: unit.serial_number for unit in self.units}
        if len(set(self._serial_numbers.values())) < len(sides):
            raise UsageError("two ports lead to the same unit", "name different units")
        self._members: list[Side] = []
        self._warn = warn

    @property
    def serial_numbers(self) -> tuple[str, ...]:
        """The serial numbers of all units."""
        return tuple(self._serial_numbers.values())

    def keys_with_changed_decimal(self, network: Network, bits: int) -> tuple[bytes, bytes]:
        """Return key 1 of the first two units with the paper's parameters, with one decimal of p1 changed in one unit.

        All else is as in the network; both units are erased again.
        """
        example = replace(network, p1=P1, p2=P2)
        keys: list[bytes] = []
        with self._blank_at_the_end():
            for side in self.sides[:2]:
                self._admit(side, example, alter=bool(keys))
                with self.open(side) as unit:
                    keys.append(unit.key(1, bits).data)
        return keys[0], keys[1]

    @contextlib.contextmanager
    def members(self, network: Network, *, alter_second: bool = False) -> Generator["GroupMembership"]:
        """Make all units members during the block, bound to the laptops of their sides, and introduce them."""
        start = time.monotonic()
        membership = GroupMembership()
        with self._blank_at_the_end(membership):
            for side in self.sides:
                network, member = self._admit(side, network, alter=alter_second and len(membership.members) == 1)
                membership.members.append(member)
            introduce(self.sides, membership.members, self.open)
            membership.seconds = time.monotonic() - start
            yield membership

    @contextlib.contextmanager
    def lent(self) -> Generator["GroupMembership"]:
        """Let the block do whatever it likes with the blank units; they are blank again at its end."""
        membership = GroupMembership()
        with self._blank_at_the_end(membership):
            for side in self.sides:
                with self.open(side) as unit:
                    unit.check_blank()
                self._members.append(side)
            yield membership

    def _admit(self, side: Side, network: Network, *, alter: bool) -> tuple[Network, NewMember]:
        with self.open(side) as unit:
            unit.check_blank()
            self._members.append(side)
            return admit(unit, network, side.name, alter=alter)

    @contextlib.contextmanager
    def _blank_at_the_end(self, membership: "GroupMembership | None" = None) -> Generator[None]:
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
            with self.open(side) as unit:
                unit.zeroize()
                return unit.hello.state
        except (NdksError, OSError) as error:
            serial_number = self._serial_numbers[side.name]
            self._warn(
                f"unit {serial_number} could not be erased: {error}. Do: plug it in; ndks zeroize --unit {side.port}"
            )
            return f"not erased: {getattr(error, 'code', 'FILE')}"

    @contextlib.contextmanager
    def open(self, side: Side) -> Generator[ndks.Unit]:
        """Open the unit of a side. CheckFailed: another unit is there."""
        with ndks.open(side.port, bindings=side.bindings) as unit:
            expected = self._serial_numbers[side.name]
            if unit.hello.serial_number != expected:
                raise CheckFailed(
                    f"unit {unit.hello.serial_number} is now at {side.port} in place of {expected}; it was not changed",
                    "plug the units in as they were, and repeat",
                )
            yield unit


class GroupMembership:
    """The units as members; `states` are their states after the erasure."""

    def __init__(self) -> None:
        self.members: list[NewMember] = []
        self.states: list[str] = []
        self.seconds = 0.0  # for provisioning


def _greet(side: Side) -> UnitUnderTest:
    """Greet a unit and return its description. UsageError unless it is blank."""
    with ndks.open(side.port, create=True, bindings=side.bindings) as unit:
        hello = unit.hello
        if hello.state == TAMPERED:
            unit.check_blank()  # raises an error with advice
        if hello.state != BLANK:
            raise UsageError(
                f"the unit at {side.port} is {hello.state}: only blank units can be tested",
                f"erase it, if nobody needs it: ndks zeroize --unit {side.port}",
            )
        return UnitUnderTest(side.name, side.port, hello.serial_number, hello.firmware, f"{hello.major}.{hello.minor}")


@contextlib.contextmanager
def _uninterrupted() -> Generator[None]:
    """Ignore signals during the block: the short erasure must not be interrupted."""
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
