# SPDX-FileCopyrightText: 2026 The NDKS project
# SPDX-License-Identifier: MIT
"""The network of a test, and the units in it."""

import contextlib
from pathlib import Path
from typing import Self

from ndks.driver.unit import open_unit
from ndks.laptop.bindings import BindingStore
from ndks.network.network_file import SUFFIX, Network

from .port import PortInTest, started
from .unit import UnitInTest, emulated

_NAME = "tests"
_FIRST_START = 90.0  # seconds until a new chip answers, at most: 1 on an idle computer, far more on a busy one


class NetworkInTest:
    """A new network, without an administrator; its units lie beside the directory `home` of bindings.

    `file` is the network file, for programs that take one.
    """

    def __init__(self, home: Path) -> None:
        self._bindings = BindingStore(home)
        self._directory = home.parent
        self._stack = contextlib.ExitStack()
        self._count = 0
        self.file = home.parent / f"{_NAME}{SUFFIX}"
        Network.new(_NAME).save(self.file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def network(self) -> Network:
        """The network with its present members."""
        return Network.load(self.file)

    def units(self, count: int) -> list[UnitInTest]:
        """Return `count` new open units in this process, which take each other's messages from this laptop only."""
        units = [self._stack.enter_context(emulated(self._next_directory(), self._bindings)) for _ in range(count)]
        joined = [unit.join(self.file) for unit in units]
        for unit, own in zip(units, joined, strict=True):
            for other in joined:
                if other.lane != own.lane and other.binding:
                    unit.trust(other.lane, other.binding.binding_id)
        return units

    def port(self) -> PortInTest:
        """Return the port of a new unit, which runs in a process of its own behind a pseudo-terminal."""
        directory = self._next_directory()
        with emulated(directory, self._bindings) as unit:
            unit.join(self.file)
        return self._stack.enter_context(started(directory))

    def chip(self, image: Path) -> PortInTest:
        """Return the port of a new emulated chip with this image of CircuitPython, as `port`. FileError for others."""
        from ndks.board.chips import read_image  # here, because ndks-chip need not be installed

        read_image(image)  # its errors are raised here, not by the process
        port = self._stack.enter_context(started(self._next_directory(), image))
        with open_unit(port, _FIRST_START, bindings=self._bindings) as unit:
            unit.join(self.file)
        return port

    def _next_directory(self) -> Path:
        self._count += 1
        return self._directory / f"unit{self._count}"
