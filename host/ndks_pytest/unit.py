# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""An open unit of a test."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest

from ndks.driver.unit import Unit, open_port
from ndks.keys.generator import VectorGenerator
from ndks.laptop.bindings import BindingStore
from ndks.line.emulated import EmulatorTransport
from ndks.line.link import Link
from ndks.line.transport import EMULATOR, Transport
from ndks.times import DEFAULT_TIMEOUT

from .faults import FaultyTransport


class UnitInTest(Unit):
    """An `ndks.Unit` with faults. On a unit that --ndks-unit names, they skip the test.

    After `cut_power` and `unplug` each method raises UnitRemoved until `plug_in`. A program may open the port
    meanwhile, and then has the unit alone.
    """

    def __init__(self, port: str, plug: Callable[[], Transport], bindings: BindingStore) -> None:
        self._plug = plug
        self._line = plug()
        self._bindings = bindings
        super().__init__(port, Link(self._line, DEFAULT_TIMEOUT), bindings)

    def open_case(self) -> None:
        """Open the case: the unit erases itself, and refuses requests with DeviceError TAMPERED."""
        self._faulty_line().open_case()

    def cut_power(self, steps: int = 0) -> None:
        """Cut the power now, or after `steps` more steps of flash: a programmed page takes two, an erase two."""
        self._faulty_line().cut_power(steps)

    def unplug(self) -> None:
        """Pull the cable between two requests, without `eject`."""
        self._faulty_line().unplug()

    def plug_in(self) -> None:
        """Plug the unit in again, with its case closed, and open it."""
        self._faulty_line()
        self.close()
        self.__init__(self.port, self._plug, self._bindings)

    def _faulty_line(self) -> FaultyTransport:
        return self._line if isinstance(self._line, FaultyTransport) else no_fault(self.port)


def no_fault(port: str) -> NoReturn:
    """Skip the test: nobody pulls the cable of a unit that the user has named."""
    pytest.skip(f"faults need an emulated unit, and --ndks-unit names {port}")


def emulated(directory: Path, bindings: BindingStore) -> UnitInTest:
    """Return the emulated unit in a directory, open in this process; a missing one is made, blank."""
    port = f"{EMULATOR}{directory}"

    def plug() -> FaultyTransport:
        return FaultyTransport(EmulatorTransport(directory, create=True, make_generator=VectorGenerator), port)

    return UnitInTest(port, plug, bindings)


def opened(port: str) -> UnitInTest:
    """Return the unit at a port of the user's, with the user's bindings. The errors of `ndks.open`."""
    return UnitInTest(port, partial(open_port, port, DEFAULT_TIMEOUT), BindingStore())
